#include "learn/data/packed_dataset.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "model/block_checksums.h"
#include "util/json_text.h"

namespace fer {
namespace {

using nlohmann::json;

// Version 1, which is still read, has no checksums.
constexpr char kFormat[] = "gst-fer-faces/2", kFirstFormat[] = "gst-fer-faces/1";

/// Names of the two tensors that hold a text per row.
std::string bytes_name(const std::string& name) {
  return name + ".bytes";
}
std::string ends_name(const std::string& name) {
  return name + ".ends";
}
constexpr char kImages[] = "images";
std::string column_tensor(const std::string& column) {
  return "column." + column;
}

/// Texts on their way into a file.
struct TextTensor {
  std::string bytes;
  std::vector<std::int64_t> ends;
  void add(const std::string& text) {
    bytes += text;
    ends.push_back(static_cast<std::int64_t>(bytes.size()));
  }
};

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw std::runtime_error(path.string() + ": " + what);
}

}  // namespace

void require_fit(const NetworkConfig& network, const PackedInfo& data, bool classes) {
  const std::string source = data.source.empty() ? "the data" : data.source;
  // Any template fits a network that is yet to be trained.
  require_same({network.input_size, network.channels, data.crops.align_template}, "the network",
               data.crops, source);
  if (!classes || network.classes == static_cast<int>(data.labels.size())) return;
  throw std::runtime_error(source + ": expected " + std::to_string(network.classes) +
                           " labels, one a class of the network, found " +
                           std::to_string(data.labels.size()));
}

void write_packed(const std::filesystem::path& path, const PackedInfo& info,
                  const std::vector<PackedRow>& rows, const PackedExtras& extras) {
  if (rows.empty()) throw std::invalid_argument("write_packed: expected rows");
  const auto n = static_cast<std::int64_t>(rows.size());
  const auto classes = static_cast<std::int64_t>(info.labels.size());
  std::vector<std::uint8_t> crops, splits, duplicates, aligned;
  std::vector<float> votes;
  std::vector<std::int64_t> labels, persons;
  TextTensor images;
  std::vector<TextTensor> columns(info.columns.size());
  const std::size_t pixels = info.crops.bytes();
  crops.reserve(rows.size() * pixels);
  for (const PackedRow& row : rows) {
    if (row.crop.size() != pixels || row.votes.size() != info.labels.size() ||
        row.columns.size() != info.columns.size()) {
      throw std::invalid_argument(
          "write_packed: a row's crop, votes or columns do not fit the dataset");
    }
    crops.insert(crops.end(), row.crop.begin(), row.crop.end());
    votes.insert(votes.end(), row.votes.begin(), row.votes.end());
    labels.push_back(row.label);
    splits.push_back(row.split);
    duplicates.push_back(row.duplicate);
    aligned.push_back(row.aligned);
    persons.push_back(row.person);
    images.add(row.image);
    for (std::size_t k = 0; k < columns.size(); ++k) columns[k].add(row.columns[k]);
  }
  auto view = [](DType dtype, std::vector<std::int64_t> shape, const auto& data) {
    return TensorView{dtype, std::move(shape), data.data(), data.size() * sizeof(data[0])};
  };
  const std::int64_t side = info.crops.side;
  std::map<std::string, TensorView> tensors{
      {"crops", view(DType::kU8, {n, info.crops.channels, side, side}, crops)},
      {"votes", view(DType::kF32, {n, classes}, votes)},
      {"labels", view(DType::kI64, {n}, labels)},
      {"splits", view(DType::kU8, {n}, splits)},
      {"duplicates", view(DType::kU8, {n}, duplicates)},
      {"aligned", view(DType::kU8, {n}, aligned)}};
  if (std::any_of(persons.begin(), persons.end(), [](std::int64_t person) { return person >= 0; }))
    tensors["persons"] = view(DType::kI64, {n}, persons);
  const auto add_texts = [&](const std::string& name, const TextTensor& texts) {
    const auto bytes = static_cast<std::int64_t>(texts.bytes.size());
    tensors[bytes_name(name)] = view(DType::kU8, {bytes}, texts.bytes);
    tensors[ends_name(name)] = view(DType::kI64, {n}, texts.ends);
  };
  if (!images.bytes.empty()) add_texts(kImages, images);
  for (std::size_t k = 0; k < columns.size(); ++k)
    add_texts(column_tensor(info.columns[k]), columns[k]);
  std::map<std::string, std::string> metadata{{"format", kFormat},
                                              {"labels", json_text(json(info.labels))},
                                              {"splits", json_text(json(info.splits))},
                                              {"columns", json_text(json(info.columns))},
                                              {"align_template", info.crops.align_template},
                                              {"source", as_utf8(info.source)}};
  tensors.insert(extras.tensors.begin(), extras.tensors.end());
  metadata.insert(extras.metadata.begin(), extras.metadata.end());
  write_with_checksums(path, std::move(tensors), std::move(metadata));
}

PackedDataset::PackedDataset(const std::filesystem::path& path, std::string name)
    : file_(std::make_unique<SafetensorsFile>(path)),
      name_(name.empty() ? path.string() : std::move(name)) {
  const auto format = file_->metadata().find("format");
  const bool known = format != file_->metadata().end() &&
                     (format->second == kFormat || format->second == kFirstFormat);
  if (!known)
    fail(path, std::string("expected a packed dataset (format ") + kFormat +
                   "); make one with: fer pack");
  checksums_ = std::make_unique<BlockChecksums>(*file_, name_, format->second == kFormat);
  // What is read for a face at a time is checked then, the rest here.
  for (const auto& [tensor, view] : file_->tensors()) {
    if (view.shape.size() < 3 && tensor != kChecksumTensor) checksums_->need(view);
  }
  try {
    info_.labels = json::parse(file_->meta("labels")).get<std::vector<std::string>>();
    info_.splits = json::parse(file_->meta("splits")).get<std::vector<std::string>>();
    // Those of earlier versions have none.
    if (file_->metadata().contains("columns"))
      info_.columns = json::parse(file_->meta("columns")).get<std::vector<std::string>>();
  } catch (const json::exception& error) {
    fail(path, std::string("its metadata is broken: ") + error.what());
  }
  info_.crops.align_template = file_->meta("align_template");
  info_.source = file_->meta("source");

  const TensorView& crops = file_->at("crops", DType::kU8, 4);
  const TensorView& votes = file_->at("votes", DType::kF32, 2);
  const std::int64_t n = crops.shape[0];
  CropFormat& shape = info_.crops;
  shape.channels = static_cast<int>(crops.shape[1]);
  shape.side = static_cast<int>(crops.shape[2]);
  if (crops.shape[2] != crops.shape[3] || shape.side < 8 || shape.side > 1024 ||
      (shape.channels != 1 && shape.channels != 3))
    fail(path, "crops: expected N x (1 or 3) x S x S with S in [8, 1024]");
  if (n == 0) fail(path, "it has no rows");
  if (votes.shape[0] != n || votes.shape[1] != static_cast<std::int64_t>(info_.labels.size()))
    fail(path, "votes: expected one row a crop and one column a label");
  auto column = [&](const char* name, DType dtype) {
    const TensorView& view = file_->at(name, dtype, 1);
    if (view.shape[0] != n) fail(path, std::string(name) + ": expected one entry a crop");
    return view.data;
  };
  size_ = static_cast<std::size_t>(n);
  crops_ = static_cast<const std::uint8_t*>(crops.data);
  votes_ = static_cast<const float*>(votes.data);
  labels_ = static_cast<const std::int64_t*>(column("labels", DType::kI64));
  splits_ = static_cast<const std::uint8_t*>(column("splits", DType::kU8));
  duplicates_ = static_cast<const std::uint8_t*>(column("duplicates", DType::kU8));
  aligned_ = static_cast<const std::uint8_t*>(column("aligned", DType::kU8));
  if (file_->tensors().contains("persons"))
    persons_ = static_cast<const std::int64_t*>(column("persons", DType::kI64));
  if (file_->tensors().contains(ends_name(kImages))) images_ = texts_of(kImages);
  for (const std::string& name : info_.columns) columns_.push_back(texts_of(column_tensor(name)));
  for (std::size_t i = 0; i < size_; ++i) {
    if (splits_[i] >= info_.splits.size() || labels_[i] < -1 ||
        labels_[i] >= static_cast<std::int64_t>(info_.labels.size()))
      fail(path, "row " + std::to_string(i) + ": label or split out of range");
    for (float vote : this->votes(i))
      if (!(vote >= 0 && vote < 1e9f))
        fail(path, "row " + std::to_string(i) + ": a vote is negative or no number");
  }
}

PackedDataset::~PackedDataset() = default;

bool PackedDataset::has_checksums() const {
  return checksums_->any();
}

void PackedDataset::need(const void* data, std::size_t bytes) const {
  checksums_->need(data, bytes);
}

PackedRow PackedDataset::row(std::size_t row) const {
  const auto pixels = crop(row);
  const auto said = votes(row);
  PackedRow copy;
  copy.crop.assign(pixels.begin(), pixels.end());
  copy.votes.assign(said.begin(), said.end());
  copy.label = label(row);
  copy.split = splits_[row];
  copy.duplicate = duplicate(row);
  copy.aligned = aligned(row);
  copy.person = person(row);
  copy.image = image(row);
  for (std::size_t k = 0; k < info_.columns.size(); ++k) copy.columns.emplace_back(text(k, row));
  return copy;
}

std::span<const std::uint8_t> PackedDataset::crop(std::size_t row) const {
  const std::size_t bytes = info_.crops.bytes();
  checksums_->need(crops_ + row * bytes, bytes);
  return {crops_ + row * bytes, bytes};
}

std::span<const float> PackedDataset::votes(std::size_t row) const {
  return {votes_ + row * info_.labels.size(), info_.labels.size()};
}

int PackedDataset::label(std::size_t row) const {
  return static_cast<int>(labels_[row]);
}
bool PackedDataset::duplicate(std::size_t row) const {
  return duplicates_[row] != 0;
}
bool PackedDataset::aligned(std::size_t row) const {
  return aligned_[row] != 0;
}
const std::string& PackedDataset::split(std::size_t row) const {
  return info_.splits[splits_[row]];
}
std::int64_t PackedDataset::person(std::size_t row) const {
  return persons_ ? persons_[row] : -1;
}

PackedDataset::Texts PackedDataset::texts_of(const std::string& name) const {
  const TensorView& bytes = file_->at(bytes_name(name), DType::kU8, 1);
  const TensorView& ends = file_->at(ends_name(name), DType::kI64, 1);
  const Texts texts{static_cast<const char*>(bytes.data),
                    static_cast<const std::int64_t*>(ends.data)};
  bool rising = ends.shape[0] == static_cast<std::int64_t>(size_);
  std::int64_t before = 0;
  for (std::size_t i = 0; rising && i < size_; before = texts.ends[i++])
    rising = texts.ends[i] >= before;
  if (!rising || before != bytes.shape[0])
    fail(file_->path(), name + ": expected one text a crop, of as many bytes as there are");
  return texts;
}

std::string_view PackedDataset::text_of(const Texts& texts, std::size_t row) {
  if (texts.ends == nullptr) return {};
  const std::int64_t begin = row == 0 ? 0 : texts.ends[row - 1];
  return {texts.bytes + begin, static_cast<std::size_t>(texts.ends[row] - begin)};
}

std::string_view PackedDataset::image(std::size_t row) const {
  return text_of(images_, row);
}

std::size_t PackedDataset::column(const std::string& name) const {
  const auto& names = info_.columns;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  fail(name_, "it carries no column \"" + name + "\"; it carries " + json_text(json(names)) +
                  "; pack it anew by: fer pack --columns " + name);
}

std::string_view PackedDataset::text(std::size_t column, std::size_t row) const {
  return text_of(columns_.at(column), row);
}

std::vector<std::size_t> PackedDataset::rows(const std::string& split) const {
  const auto found = std::find(info_.splits.begin(), info_.splits.end(), split);
  if (!split.empty() && found == info_.splits.end()) {
    fail(name_, "it has no split \"" + split + "\"; it has " + json(info_.splits).dump());
  }
  const auto index = static_cast<std::uint8_t>(found - info_.splits.begin());
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < size_; ++i)
    if (split.empty() || splits_[i] == index) rows.push_back(i);
  return rows;
}

}  // namespace fer
