#include "model/foreign/onnx_header.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>

namespace fer {
namespace {

/// Inputs, outputs, weights and metadata; no network comes near it.
constexpr std::size_t kMaxEntries = 100000;
/// Dimensions of a tensor.
constexpr std::size_t kMaxDims = 16;
/// Graphs within graphs.
constexpr int kMaxGraphDepth = 8;
/// Bytes of a name; longer ones are none.
constexpr std::size_t kMaxText = 1 << 16;

[[noreturn]] void break_off() {
  throw std::runtime_error("a file that is no ONNX model");
}

/// One field of a message in protobuf's wire format.
struct Field {
  std::uint32_t number = 0;
  std::uint64_t value = 0;  ///< Of a number.
  std::string_view bytes;   ///< Of a text or a message.
  bool is_bytes = false;
  std::size_t fixed = 0;  ///< Of a number of fixed size: its bytes; else 0.

  /// The text or message. A number in its place makes the file none of ONNX.
  std::string_view text() const {
    if (!is_bytes) break_off();
    return bytes;
  }
  std::string name() const {
    if (text().size() > kMaxText) break_off();
    return std::string(bytes);
  }
  std::int64_t number_value() const {
    if (is_bytes) break_off();
    return static_cast<std::int64_t>(value);
  }
};

/// Goes through the fields of a message.
class Fields {
 public:
  explicit Fields(std::string_view message) : left_(message) {}

  /// False at the end. Throws where the bytes are no message.
  bool next(Field& field) {
    if (left_.empty()) return false;
    const std::uint64_t tag = varint();
    field = {};
    if (tag >> 3 == 0 || tag >> 3 > std::numeric_limits<std::uint32_t>::max()) break_off();
    field.number = static_cast<std::uint32_t>(tag >> 3);
    switch (tag & 7) {
      case 0:
        field.value = varint();
        return true;
      case 1:
        take(field.fixed = 8);
        return true;
      case 2:
        field.is_bytes = true;
        field.bytes = take(varint());
        return true;
      case 5:
        take(field.fixed = 4);
        return true;
      default:
        break_off();
    }
  }

  bool empty() const { return left_.empty(); }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    break_off();
  }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > left_.size()) break_off();
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  std::string_view left_;
};

/// TensorShapeProto.Dimension.
std::int64_t read_dimension(std::string_view message) {
  std::int64_t extent = kAnyExtent;
  Field field;
  for (Fields fields(message); fields.next(field);) {
    // Zero and below stand for any extent in files of some programs.
    if (field.number == 1 && field.number_value() > 0) extent = field.number_value();
  }
  return extent;
}

/// ValueInfoProto: a name, and a type with an element type and a shape.
OnnxTensor read_tensor(std::string_view message) {
  OnnxTensor tensor;
  std::string_view type, shape;
  Field field;
  for (Fields fields(message); fields.next(field);) {
    if (field.number == 1) tensor.name = field.name();
    if (field.number == 2) type = field.text();
  }
  std::string_view tensor_type;
  for (Fields fields(type); fields.next(field);) {
    if (field.number == 1) tensor_type = field.text();
  }
  for (Fields fields(tensor_type); fields.next(field);) {
    if (field.number == 1)
      tensor.element_type = static_cast<int>(std::clamp<std::int64_t>(field.number_value(), 0, 99));
    if (field.number == 2) shape = field.text();
  }
  for (Fields fields(shape); fields.next(field);) {
    if (field.number != 1) continue;
    if (tensor.shape.size() == kMaxDims) break_off();
    tensor.shape.push_back(read_dimension(field.text()));
  }
  return tensor;
}

/// Numbers in a weight whose extents are multiplied one by one; huge ones stay at the most.
void multiply(std::size_t& product, std::int64_t extent) {
  const auto factor = static_cast<std::size_t>(std::max<std::int64_t>(extent, 0));
  const bool fits = factor == 0 || product <= std::numeric_limits<std::size_t>::max() / factor;
  product = fits ? product * factor : std::numeric_limits<std::size_t>::max();
}

/// Bytes of an element by ONNX's number for its type, as raw data has it; 0: no fixed number.
std::size_t element_size(std::int64_t type) {
  switch (type) {
    case 2:  // UINT8
    case 3:  // INT8
    case 9:  // BOOL
      return 1;
    case 4:   // UINT16
    case 5:   // INT16
    case 10:  // FLOAT16
    case 16:  // BFLOAT16
      return 2;
    case kOnnxFloat:
    case 6:   // INT32
    case 12:  // UINT32
      return 4;
    case 7:   // INT64
    case 11:  // DOUBLE
    case 13:  // UINT64
      return 8;
    default:
      return 0;
  }
}

std::size_t count_varints(std::string_view bytes) {
  return static_cast<std::size_t>(std::count_if(bytes.begin(), bytes.end(), [](char byte) {
    return static_cast<unsigned char>(byte) < 0x80;
  }));
}

/// TensorProto: a weight or a constant. OpenCV 4.6 reads as many numbers as the shape says, whether
/// they are there or not. Returns its name.
std::string read_weight(std::string_view message, OnnxHeader& header) {
  std::string name;
  std::size_t count = 1, listed = 0;
  std::int64_t type = 0;
  bool external = false;
  std::optional<std::size_t> raw;
  Field field;
  for (Fields fields(message); fields.next(field);) {
    switch (field.number) {
      case 1:  // dims, each a field of its own or all in one
        if (!field.is_bytes) {
          multiply(count, field.number_value());
        } else {
          for (Fields packed(field.bytes); !packed.empty();)
            multiply(count, static_cast<std::int64_t>(packed.varint()));
        }
        break;
      case 2:
        type = field.number_value();
        break;
      case 4:   // float_data
      case 10:  // double_data
        listed += field.is_bytes ? field.bytes.size() / (field.number == 4 ? 4 : 8) : 1;
        break;
      case 5:   // int32_data
      case 7:   // int64_data
      case 11:  // uint64_data
        listed += field.is_bytes ? count_varints(field.bytes) : 1;
        break;
      case 6:  // string_data
        ++listed;
        break;
      case 8:
        name = field.name();
        break;
      case 9:
        raw = field.text().size();
        break;
      case 14:
        external = field.number_value() == 1;
        break;
      default:
        break;
    }
  }
  header.external_data = header.external_data || external;
  const std::size_t size = element_size(type);
  const bool fits = raw ? size > 0 && count <= *raw && count * size == *raw : count == listed;
  if (!external && !fits) {
    throw std::runtime_error("a file whose weight \"" + name +
                             "\" has another number of values than its shape says");
  }
  const std::size_t room = std::numeric_limits<std::size_t>::max() - header.parameters;
  header.parameters += std::min(count, room);
  return name;
}

/// StringStringEntryProto.
void read_metadata(std::string_view message, OnnxHeader& header) {
  std::string key, value;
  Field field;
  for (Fields fields(message); fields.next(field);) {
    if (field.number == 1) key = field.name();
    if (field.number == 2) value = std::string(field.text().substr(0, kMaxText));
  }
  header.metadata[key] = value;
}

void read_graph(std::string_view message, OnnxHeader& header, int depth);

/// NodeProto: its attributes may hold constants and graphs of their own.
void read_node(std::string_view message, OnnxHeader& header, int depth) {
  ++header.nodes;
  Field field, part;
  for (Fields fields(message); fields.next(field);) {
    if (field.number != 5) continue;
    for (Fields attribute(field.text()); attribute.next(part);) {
      if (part.number == 5 || part.number == 10) read_weight(part.text(), header);
      if (part.number == 6 || part.number == 11) read_graph(part.text(), header, depth + 1);
    }
  }
}

/// GraphProto. Inputs and outputs are those of the outermost.
void read_graph(std::string_view message, OnnxHeader& header, int depth) {
  if (depth > kMaxGraphDepth) break_off();
  std::set<std::string> weights;
  std::size_t entries = 0;
  Field field;
  for (Fields fields(message); fields.next(field);) {
    if (field.number == 1) read_node(field.text(), header, depth);
    if (field.number != 5 && field.number != 11 && field.number != 12) continue;
    if (++entries > kMaxEntries) break_off();
    if (field.number == 5) weights.insert(read_weight(field.text(), header));
    if (depth > 0) continue;
    if (field.number == 11) header.inputs.push_back(read_tensor(field.text()));
    if (field.number == 12) header.outputs.push_back(read_tensor(field.text()));
  }
  std::erase_if(header.inputs,
                [&](const OnnxTensor& input) { return weights.contains(input.name); });
}

/// OperatorSetIdProto: ONNX's own operators have an empty domain, or "ai.onnx".
void read_opset(std::string_view message, OnnxHeader& header) {
  std::string domain;
  std::int64_t version = 0;
  Field field;
  for (Fields fields(message); fields.next(field);) {
    if (field.number == 1) domain = field.name();
    if (field.number == 2) version = field.number_value();
  }
  if (domain.empty() || domain == "ai.onnx") header.opset = version;
}

}  // namespace

OnnxHeader read_onnx_header(std::string_view bytes) {
  OnnxHeader header;
  bool graph = false;
  std::size_t entries = 0;
  Field field;
  for (Fields fields(bytes); fields.next(field);) {
    if (++entries > kMaxEntries) break_off();
    switch (field.number) {
      case 2:
        header.producer = field.name();
        break;
      case 7:
        if (graph) break_off();
        graph = true;
        read_graph(field.text(), header, 0);
        break;
      case 8:
        read_opset(field.text(), header);
        break;
      case 14:
        read_metadata(field.text(), header);
        break;
      default:
        break;
    }
  }
  if (!graph || header.outputs.empty()) break_off();
  return header;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t extent : shape) {
    if (!text.empty()) text += " x ";
    text += extent == kAnyExtent ? "N" : std::to_string(extent);
  }
  return text.empty() ? "no shape" : text;
}

}  // namespace fer
