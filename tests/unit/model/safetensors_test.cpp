#include "model/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "scoped.h"
#include "unit/model/safetensors_bytes.h"

namespace fer {
namespace {

using test::safetensors_bytes;
using test::ScopedFolder;
using testing::HasSubstr;

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Safetensors : public testing::TestWithParam<FileAccess> {
 protected:
  /// Opens these bytes as a file.
  std::unique_ptr<SafetensorsFile> open(const std::string& bytes) {
    return std::make_unique<SafetensorsFile>(folder_.write("file.safetensors", bytes), GetParam());
  }

  /// What it says against these bytes; empty where it takes them.
  std::string refusal(const std::string& bytes) {
    try {
      open(bytes);
      return {};
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("file.safetensors"));
      return error.what();
    }
  }

  ScopedFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Access, Safetensors,
                         testing::Values(FileAccess::kMapped, FileAccess::kRead),
                         [](const auto& info) {
                           return info.param == FileAccess::kMapped ? "Mapped" : "Read";
                         });

struct Example {
  std::vector<float> floats{1.5f, -2.f, 3.25f, 0.f, 1e-30f, 7.f};
  std::vector<std::uint8_t> bytes{1, 2, 3};
  std::vector<std::int64_t> longs{-1, 1ll << 40};
  std::vector<std::uint16_t> halves{0x3f80, 0x4000};

  std::map<std::string, TensorView> views() const {
    return {{"f", {DType::kF32, {2, 3}, floats.data(), 24}},
            {"b", {DType::kU8, {3}, bytes.data(), 3}},
            {"l", {DType::kI64, {2}, longs.data(), 16}},
            {"h", {DType::kBF16, {1, 2}, halves.data(), 4}},
            {"g", {DType::kF16, {2}, halves.data(), 4}},
            {"none", {DType::kF32, {0, 4}, nullptr, 0}},
            {"scalar", {DType::kF32, {}, floats.data(), 4}}};
  }
};

TEST_P(Safetensors, ComeBackAsTheyWereWritten) {
  const Example example;
  const auto path = folder_.path() / "out.safetensors";
  write_safetensors(path, example.views(), {{"key", "value"}, {"text", "a \"b\" ü\n"}});
  const SafetensorsFile file(path, GetParam());
  EXPECT_EQ(file.metadata().at("key"), "value");
  EXPECT_EQ(file.meta("text"), "a \"b\" ü\n");
  EXPECT_EQ(file.path(), path);
  ASSERT_EQ(file.tensors().size(), example.views().size());
  for (const auto& [name, view] : example.views()) {
    const TensorView& read = file.at(name, view.dtype, view.shape.size());
    EXPECT_EQ(read.shape, view.shape) << name;
    ASSERT_EQ(read.bytes, view.bytes) << name;
    if (view.bytes > 0) {
      EXPECT_EQ(std::memcmp(read.data, view.data, view.bytes), 0) << name;
    }
  }
}

TEST_P(Safetensors, AreWrittenAlignedAndWithoutHoles) {
  const Example example;
  const auto path = folder_.path() / "out.safetensors";
  write_safetensors(path, example.views(), {});
  const std::string bytes = bytes_of(path);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  EXPECT_EQ((8 + header) % 64, 0u);
  EXPECT_EQ(bytes[8], '{');  // as the format's own reader wants it
  EXPECT_EQ(bytes.size(), 8 + header + 24 + 3 + 16 + 4 + 4 + 0 + 4);
}

TEST_P(Safetensors, OfPythonAreRead) {
  // As safetensors.numpy.save_file 0.4 writes {"weight": [[1, 2], [3, 4]] as F32, "n": 7 as I64}
  // with metadata: no spaces, widest types first, the header padded with spaces to a multiple of
  // eight.
  std::string header =
      R"({"__metadata__":{"format":"pt"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
      R"("weight":{"dtype":"F32","shape":[2,2],"data_offsets":[8,24]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::int64_t n = 7;
  const float weight[] = {1, 2, 3, 4};
  std::string data(24, '\0');
  std::memcpy(data.data(), &n, 8);
  std::memcpy(data.data() + 8, weight, 16);
  const auto file = open(safetensors_bytes(header, data));
  EXPECT_EQ(file->meta("format"), "pt");
  EXPECT_EQ(*static_cast<const std::int64_t*>(file->at("n", DType::kI64, 0).data), 7);
  const TensorView& view = file->at("weight", DType::kF32, 2);
  EXPECT_EQ(view.shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(std::memcmp(view.data, weight, 16), 0);
}

TEST_P(Safetensors, TruncatedAnywhereAreRefused) {
  const Example example;
  const auto path = folder_.path() / "out.safetensors";
  write_safetensors(path, example.views(), {{"key", "value"}});
  const std::string whole = bytes_of(path);
  ASSERT_EQ(refusal(whole), "");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_NE(refusal(whole.substr(0, size)), "") << "cut after " << size << " bytes";
  }
}

TEST_P(Safetensors, WithAnyHeaderByteChangedNeverLeadOutside) {
  const Example example;
  const auto path = folder_.path() / "out.safetensors";
  write_safetensors(path, example.views(), {{"key", "value"}});
  const std::string whole = bytes_of(path);
  std::uint64_t header = 0;
  std::memcpy(&header, whole.data(), 8);
  int taken = 0, refused = 0;
  for (std::size_t at = 0; at < 8 + header; ++at) {
    for (const char value : {'9', '[', '\xff'}) {
      std::string bytes = whole;
      bytes[at] = value;
      try {
        const auto file = open(bytes);
        ++taken;
        // Every byte that it points at can be read.
        unsigned sum = 0;
        for (const auto& [name, view] : file->tensors()) {
          for (std::size_t i = 0; i < view.bytes; ++i) {
            sum += static_cast<const unsigned char*>(view.data)[i];
          }
        }
        EXPECT_LE(sum, 255 * whole.size());
      } catch (const std::runtime_error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(taken, 0);
  EXPECT_GT(refused, taken);
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"t\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}}";
}

TEST_P(Safetensors, ThatLieAreRefused) {
  const std::string data(64, '\1');
  const auto refusal_of = [&](std::string header) {
    // Padded, so that the data is aligned and the lie is the only fault.
    if (!header.empty()) header.resize((header.size() + 7) / 8 * 8, ' ');
    return refusal(safetensors_bytes(header, data));
  };
  ASSERT_EQ(refusal_of(entry("\"F32\"", "[4,4]", "[0,64]")), "");
  const std::pair<std::string, const char*> lies[] = {
      // Shapes
      {entry("\"F32\"", "[4,4]", "[0,60]"), "disagree"},
      {entry("\"F32\"", "[4,5]", "[0,64]"), "more bytes"},
      {entry("\"F32\"", "[4611686018427387904,4]", "[0,64]"), "more bytes"},
      {entry("\"F32\"", "[4294967296,4294967296]", "[0,0]"), "more bytes"},
      {entry("\"F32\"", "[18446744073709551615]", "[0,64]"), "more bytes"},
      {entry("\"F32\"", "[-4,-4]", "[0,64]"), "bad shape"},
      {entry("\"F32\"", "[4.0,4]", "[0,64]"), "bad shape"},
      {entry("\"F32\"", "\"4\"", "[0,64]"), "bad shape"},
      {entry("\"F32\"", "[1,1,1,1,1,1,1,1,16]", "[0,64]"), "bad shape"},
      // Offsets
      {entry("\"F32\"", "[4,4]", "[64,0]"), "ends at"},
      {entry("\"F32\"", "[4,4]", "[8,72]"), "ends at"},
      {entry("\"F32\"", "[4,4]", "[18446744073709551608,72]"), "ends at"},
      {entry("\"F32\"", "[4,4]", "[-64,0]"), "bad data_offsets"},
      {entry("\"F32\"", "[4,4]", "[0]"), "bad data_offsets"},
      {entry("\"F32\"", "[4,4]", "[0,64,64]"), "bad data_offsets"},
      {entry("\"F32\"", "[4,4]", "null"), "bad data_offsets"},
      {entry("\"F32\"", "[4]", "[3,19]"), "not aligned"},
      // Types
      {entry("\"F31\"", "[4,4]", "[0,64]"), "unknown type"},
      {entry("7", "[4,4]", "[0,64]"), "unknown type"},
      {"{\"t\":{\"shape\":[4],\"data_offsets\":[0,16]}}", "unknown type"},
      {"{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,16]}}", "bad shape"},
      {"{\"t\":{\"dtype\":\"F32\",\"shape\":[4]}}", "bad data_offsets"},
      {"{\"t\":[]}", "not an object"},
      {"{\"__metadata__\":{\"a\":1}}", "not a string"},
      {"{\"__metadata__\":\"a\"}", "not an object"},
      {"[]", "not a JSON object"},
      {"", "not a JSON object"},
      {"{\"t\":", "not a JSON object"},
      {"{\"\xff\":{}}", "not a JSON object"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[8],\"data_offsets\":[0,32]},"
       "\"b\":{\"dtype\":\"F32\",\"shape\":[8],\"data_offsets\":[28,60]}}",
       "overlap"},
  };
  for (const auto& [header, expected] : lies) {
    EXPECT_THAT(refusal_of(header), HasSubstr(expected)) << header;
  }
}

TEST_P(Safetensors, ThatNestDeepAreRefused) {
  // Deep enough to overflow the stack of whoever copies it.
  const std::string open(2'000'000, '['), close(2'000'000, ']');
  EXPECT_NE(refusal(safetensors_bytes(open + close, "")), "");
  EXPECT_NE(refusal(safetensors_bytes(entry(open + close, "[4]", "[0,16]"), "")), "");
}

TEST_P(Safetensors, WithAHugeHeaderLengthAreRefused) {
  for (const std::uint64_t length : {~0ull, ~0ull - 7, 1ull << 63, 200'000'000ull, 57ull}) {
    std::string bytes(64, ' ');
    std::memcpy(bytes.data(), &length, 8);
    EXPECT_THAT(refusal(bytes), HasSubstr("truncated")) << length;
  }
}

TEST_P(Safetensors, OfRandomBytesAreRefused) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::string bytes(random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    // Every other one gets a plausible length.
    if (round % 2 == 0 && bytes.size() >= 8) {
      const std::uint64_t length = random() % bytes.size();
      std::memcpy(bytes.data(), &length, 8);
    }
    EXPECT_NE(refusal(bytes), "");
  }
}

TEST_P(Safetensors, ThatAreNoFilesAreRefused) {
  const auto message = [&](const std::filesystem::path& path) -> std::string {
    try {
      SafetensorsFile file(path, GetParam());
      return {};
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  };
  EXPECT_THAT(message(folder_.path() / "missing"), HasSubstr("No such file"));
  EXPECT_THAT(message(folder_.path()), HasSubstr("regular file"));
  EXPECT_THAT(message("/dev/zero"), HasSubstr("regular file"));
  const auto pipe = folder_.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(message(pipe), HasSubstr("regular file"));  // and does not wait for a writer
}

TEST_P(Safetensors, SayWhatIsMissing) {
  const Example example;
  const auto path = folder_.path() / "out.safetensors";
  write_safetensors(path, example.views(), {{"key", "value"}});
  const SafetensorsFile file(path, GetParam());
  const auto message = [&](auto&& ask) -> std::string {
    try {
      ask();
      return {};
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  };
  EXPECT_THAT(message([&] { file.at("g", DType::kF32, 1); }), HasSubstr("found F16 of rank 1"));
  EXPECT_THAT(message([&] { file.at("f", DType::kF32, 1); }), HasSubstr("found F32 of rank 2"));
  EXPECT_THAT(message([&] { file.at("x", DType::kF32, 1); }), HasSubstr("\"x\""));
  EXPECT_THAT(message([&] { file.meta("lock"); }), HasSubstr("\"lock\""));
}

TEST(SafetensorsWriting, RefusesViewsThatLie) {
  const ScopedFolder folder;
  const float value = 1;
  EXPECT_THROW(write_safetensors(folder.path() / "x", {{"t", {DType::kF32, {2}, &value, 4}}}, {}),
               std::invalid_argument);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "x"));
}

}  // namespace
}  // namespace fer
