// The elements on frames in a CUDA device's memory. There is a driver of the tests' own
// (host_cuda/host_cuda.cpp), in whose memory nobody can read or write but by the driver and
// kernels.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gst/cuda/gstcudacontext.h>
#include <gst/cuda/gstcudaloader.h>
#include <gst/cuda/gstcudamemory.h>
#include <gst/cuda/gstcudautils.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <string>

#include "data/drawn_face.h"
#include "detector_models.h"
#include "element_test.h"
#include "host_cuda/host_cuda.h"
#include "model/find_model.h"
#include "scoped.h"
#include "video-frame.h"

namespace fer {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::SizeIs;

const cv::Size kSize(1281, 721);

/// Two drawn faces of different sizes.
const cv::Mat& picture() {
  static const cv::Mat picture = [] {
    cv::Mat whole(kSize, CV_8UC3, cv::Scalar(60, 70, 80));
    draw_face({400, 400}).copyTo(whole(cv::Rect(100, 200, 400, 400)));
    draw_face({300, 300}).copyTo(whole(cv::Rect(800, 100, 300, 300)));
    return whole;
  }();
  return picture;
}

std::string on_device(std::string caps) {
  const std::string media = "video/x-raw";
  return caps.replace(caps.find(media), media.size(), media + "(memory:CUDAMemory)");
}

class CudaMemory : public testing::Test {
 protected:
  void SetUp() override {
#if GST_CHECK_VERSION(1, 24, 0)
    if (!gst_cuda_load_library())
      GTEST_SKIP() << "this GStreamer takes more of a driver than the tests' has";
#else
    ASSERT_TRUE(gst_cuda_load_library());
#endif
    gst_cuda_memory_init_once();
    context_ = gst_cuda_context_new(0);
    ASSERT_NE(context_, nullptr);
    void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    ASSERT_NE(driver, nullptr);
    get_counts_ =
        reinterpret_cast<host_cuda::CountsGetter>(dlsym(driver, host_cuda::kCountsSymbol));
    out_of_memory_ = reinterpret_cast<host_cuda::OutOfMemorySetter>(
        dlsym(driver, host_cuda::kOutOfMemorySymbol));
    dlclose(driver);
    ASSERT_NE(get_counts_, nullptr) << "another driver than the tests' answers";
  }
  void TearDown() override {
    gst_clear_object(&context_);
  }

  /// The frame as it comes from a decoder on the device: nothing of it is in the processor's
  /// memory.
  BufferPtr upload(const BufferPtr& frame, const std::string& format) {
    const GstVideoInfo info = video_info(format, kSize.width, kSize.height);
    GstAllocator* allocator = gst_allocator_find(GST_CUDA_MEMORY_TYPE_NAME);
#if GST_CHECK_VERSION(1, 24, 0)
    GstMemory* memory =
        gst_cuda_allocator_alloc(GST_CUDA_ALLOCATOR(allocator), context_, nullptr, &info);
#else
    GstMemory* memory = gst_cuda_allocator_alloc(GST_CUDA_ALLOCATOR(allocator), context_, &info);
#endif
    gst_object_unref(allocator);
    if (!memory) throw std::runtime_error("no memory for " + format);
    BufferPtr buffer(gst_buffer_new());
    gst_buffer_append_memory(buffer.get(), memory);
    GstVideoInfo& there = GST_CUDA_MEMORY_CAST(memory)->info;
    gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE,
                                   GST_VIDEO_INFO_FORMAT(&info), kSize.width, kSize.height,
                                   GST_VIDEO_INFO_N_PLANES(&info), there.offset, there.stride);
    MappedFrame from(info, frame.get(), GST_MAP_READ);
    {
      MappedFrame to(info, buffer.get(), GST_MAP_WRITE);
      EXPECT_TRUE(to);
      gst_video_frame_copy(&to.frame(), &from.frame());
    }
    // Written on the device last: who maps it for the processor downloads it.
    GstMapInfo map;
    EXPECT_TRUE(gst_buffer_map(buffer.get(), &map,
                               static_cast<GstMapFlags>(GST_MAP_READWRITE | GST_MAP_CUDA)));
    gst_buffer_unmap(buffer.get(), &map);
    gst_buffer_copy_into(buffer.get(), frame.get(), GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
    return buffer;
  }

  BufferPtr device_frame(const std::string& format, int number = 0) {
    return upload(make_frame(picture(), format, Layout::kPacked, number), format);
  }

  std::string caps(const std::string& format) const {
    return on_device(video_caps(format, kSize.width, kSize.height));
  }

  host_cuda::Counts counts() const {
    host_cuda::Counts counts;
    get_counts_(&counts);
    return counts;
  }

  GstCudaContext* context_ = nullptr;
  host_cuda::CountsGetter get_counts_ = nullptr;
  host_cuda::OutOfMemorySetter out_of_memory_ = nullptr;
};

/// What an element makes of a frame.
BufferPtr pass(Harness& harness, BufferPtr frame) {
  EXPECT_EQ(harness.push(std::move(frame)), GST_FLOW_OK);
  BufferPtr out = harness.try_pull();
  EXPECT_TRUE(out);
  return out;
}

/// What the detector looks at: the shrunk picture, in colour for a YuNet; in grey and then one of
/// twice the size where it looks for small faces.
constexpr std::size_t kLook = 3 * 640 * 361, kLooks = 5 * 640 * 361;

std::string detector() {
  return landmark_detector_path().string();
}

/// The same of our own detector, whose network runs where the frame lies: the faces.
constexpr std::size_t kFaces = 32 << 10;
/// The first picture turned by quarters, and the places where a turned face might be.
constexpr std::size_t kTurnedLooks = 3 * kLook + 2 * 256 * 256 * 3;

// --- Each element.

class CudaMemoryFormats : public CudaMemory, public testing::WithParamInterface<std::string> {
 protected:
  /// Holds what is found on the device, and labelled, against what is found here.
  void find_and_label(const std::string& detector, std::size_t max_downloaded);
};

TEST_P(CudaMemoryFormats, FacesAreFoundAndLabelledWhereTheFrameLies) {
  if (find_expression_model().empty()) GTEST_SKIP() << "no expression model is here";
  const std::string own = own_detector_path(), yunet = yunet_path();
  if (own.empty() && yunet.empty()) GTEST_SKIP() << "no detector with landmarks is here";
  // The first picture is looked at turned as well, which the processor does.
  if (!own.empty()) find_and_label(own, kFaces + kLook);
  if (!yunet.empty()) find_and_label(yunet, kLook + kTurnedLooks);
}

void CudaMemoryFormats::find_and_label(const std::string& detector, std::size_t max_downloaded) {
  SCOPED_TRACE(detector);
  std::vector<std::vector<FaceRecord>> found;
  for (const bool device : {false, true}) {
    Harness detect(make_element("ferdetect", {{"model", detector}, {"small-face-interval", "0"}}));
    Harness infer(make_element("ferinfer"));
    const std::string in =
        device ? caps(GetParam()) : video_caps(GetParam(), kSize.width, kSize.height);
    detect.set_caps(in);
    infer.set_caps(in);
    BufferPtr frame = make_frame(picture(), GetParam());
    if (device) frame = upload(frame, GetParam());
    const auto before = counts();
    const BufferPtr out = pass(infer, pass(detect, std::move(frame)));
    ASSERT_TRUE(out);
    found.push_back(faces_of(out.get()));
    const auto after = counts();
    if (!device) continue;
    EXPECT_TRUE(gst_is_cuda_memory(gst_buffer_peek_memory(out.get(), 0)));
    EXPECT_GE(after.launches - before.launches, 2) << "to find faces and to cut them";
    // Two crops, and once for each new face the picture that tells how it is turned.
    constexpr std::size_t kCrops = 2 * 48 * 48, kRollPictures = 2 * (256 * 256 * 3 + 256);
    EXPECT_LE(after.downloaded - before.downloaded, max_downloaded + kCrops + kRollPictures);
  }
  ASSERT_THAT(found[0], SizeIs(2));
  ASSERT_THAT(found[1], SizeIs(2));
  for (std::size_t i = 0; i < 2; ++i) {
    const FaceRecord &here = found[0][i], &there = found[1][i];
    EXPECT_NEAR(here.x, there.x, 0.005);
    EXPECT_NEAR(here.y, there.y, 0.005);
    EXPECT_NEAR(here.w, there.w, 0.005);
    EXPECT_NEAR(here.h, there.h, 0.005);
    ASSERT_TRUE(here.expression && there.expression);
    ASSERT_EQ(here.expression->probabilities.size(), there.expression->probabilities.size());
    for (std::size_t k = 0; k < here.expression->probabilities.size(); ++k)
      EXPECT_NEAR(here.expression->probabilities[k], there.expression->probabilities[k], 0.05);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, CudaMemoryFormats,
                         testing::Values("NV12", "I420", "RGBA", "BGRx", "ARGB"),
                         [](const auto& info) { return info.param; });

/// The record of a face that stands in the middle of the first drawn one.
std::vector<FaceRecord> one_face() {
  FaceRecord face;
  face.x = 200. / kSize.width;
  face.y = 280. / kSize.height;
  face.w = 190. / kSize.width;
  face.h = 240. / kSize.height;
  face.confidence = 0.9;
  face.track_id = 1;
  return {face};
}

TEST_F(CudaMemory, FercropCutsTheSame) {
  std::vector<cv::Mat> crops;
  for (const bool device : {false, true}) {
    Harness crop(make_element("fercrop"));
    crop.set_caps(device ? caps("NV12") : video_caps("NV12", kSize.width, kSize.height));
    crop.set_downstream_caps("video/x-raw, format=RGB, width=112, height=112");
    BufferPtr frame = make_frame(picture(), "NV12");
    if (device) frame = upload(frame, "NV12");
    face_meta_write(frame.get(), video_info("NV12", kSize.width, kSize.height), one_face());
    const auto before = counts();
    const BufferPtr out = pass(crop, std::move(frame));
    ASSERT_TRUE(out);
    crops.push_back(picture_of(out.get(), video_info("RGB", 112, 112)));
    if (device) {
      EXPECT_EQ(counts().downloaded - before.downloaded, 3u * 112 * 112);
    }
  }
  cv::Mat difference;
  cv::absdiff(crops[0], crops[1], difference);
  EXPECT_LT(cv::mean(difference)[1], 1.5);
}

TEST_F(CudaMemory, WholeFramesAreFacesToo) {
  if (find_expression_model().empty()) GTEST_SKIP() << "no expression model is here";
  Harness infer(make_element("ferinfer", {{"inference-region", "full-frame"}}));
  infer.set_caps(caps("NV12"));
  const BufferPtr out = pass(infer, device_frame("NV12"));
  ASSERT_TRUE(out);
  const auto faces = faces_of(out.get());
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_TRUE(faces[0].expression);
}

TEST_F(CudaMemory, FeroverlayDrawsTheSame) {
  for (const auto& [format, properties] : {std::pair<std::string, Properties>("NV12", {}),
                                           {"RGBA", {}},
                                           {"NV12", {{"blur", "all"}}}}) {
    const GstVideoInfo info = video_info(format, kSize.width, kSize.height);
    std::vector<std::vector<std::uint8_t>> drawn;
    for (const bool device : {false, true}) {
      Harness overlay(make_element("feroverlay", properties));
      overlay.set_caps(device ? caps(format) : video_caps(format, kSize.width, kSize.height));
      BufferPtr frame = make_frame(picture(), format);
      if (device) frame = upload(frame, format);
      face_meta_write(frame.get(), info, one_face());
      const BufferPtr out = pass(overlay, std::move(frame));
      ASSERT_TRUE(out);
      BufferPtr packed = make_frame(cv::Mat(kSize, CV_8UC3, cv::Scalar::all(0)), format);
      MappedFrame from(info, out.get(), GST_MAP_READ), to(info, packed.get(), GST_MAP_WRITE);
      ASSERT_TRUE(from && to);
      gst_video_frame_copy(&to.frame(), &from.frame());
      drawn.push_back(bytes_of(packed.get()));
    }
    EXPECT_NE(drawn[0], bytes_of(make_frame(picture(), format).get()));
    EXPECT_EQ(drawn[0], drawn[1]) << format;
  }
}

TEST_F(CudaMemory, FramesOfAnotherContextAreReadInIt) {
  if (detector().empty()) GTEST_SKIP() << "no detector with landmarks is here";
  Harness detect(make_element("ferdetect", {{"model", detector()}}));
  detect.set_caps(caps("NV12"));
  EXPECT_THAT(faces_of(pass(detect, device_frame("NV12", 0)).get()), SizeIs(2));
  gst_clear_object(&context_);
  context_ = gst_cuda_context_new(0);
  EXPECT_THAT(faces_of(pass(detect, device_frame("NV12", 1)).get()), SizeIs(2));
  EXPECT_EQ(stat(detect.element(), "failed"), 0);
}

// --- All of them in a row.

/// The CUDA context that whoever asks the pad is given; null where it is given none.
GstCudaContext* offered_context(GstPad* pad, const char* type = GST_CUDA_CONTEXT_TYPE) {
  GstQuery* query = gst_query_new_context(type);
  GstContext* context = nullptr;
  if (gst_pad_query(pad, query)) gst_query_parse_context(query, &context);
  GstCudaContext* offered = nullptr;
  if (context) {
    gst_structure_get(gst_context_get_structure(context), GST_CUDA_CONTEXT_TYPE,
                      GST_TYPE_CUDA_CONTEXT, &offered, nullptr);
  }
  gst_query_unref(query);
  return offered;
}

TEST_F(CudaMemory, NeighboursAreOfferedTheContextThatLibTorchWorksIn) {
  const ElementPtr detect = make_element("ferdetect");
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
  const auto retain =
      reinterpret_cast<int (*)(void**, int)>(dlsym(driver, "cuDevicePrimaryCtxRetain"));
  dlclose(driver);
  ASSERT_NE(retain, nullptr);
  void* primary = nullptr;
  ASSERT_EQ(retain(&primary, 0), 0);
  // A decoder asks at the one pad, an encoder at the other.
  for (const char* name : {"sink", "src"}) {
    GstPad* pad = gst_element_get_static_pad(detect.get(), name);
    GstCudaContext* offered = offered_context(pad);
    ASSERT_NE(offered, nullptr) << name;
    EXPECT_EQ(gst_cuda_context_get_handle(offered), primary) << name;
    gst_object_unref(offered);
    EXPECT_EQ(offered_context(pad, "gst.gl.GLDisplay"), nullptr) << name;
    gst_object_unref(pad);
  }
}

TEST_F(CudaMemory, DecodersAreOfferedTheContextThatAnEncoderHasAlready) {
  Harness detect(make_element("ferdetect"));
  struct Encoder {
    GstElement* element;
    GstCudaContext* context;
  };
  static Encoder encoder;
  encoder = {detect.element(), context_};
  // The harness's sink plays it.
  gst_pad_set_query_function(
      detect.get()->sinkpad, [](GstPad* pad, GstObject* parent, GstQuery* query) -> gboolean {
        if (GST_QUERY_TYPE(query) == GST_QUERY_CONTEXT)
          return gst_cuda_handle_context_query(encoder.element, query, encoder.context);
        return gst_pad_query_default(pad, parent, query);
      });
  GstPad* pad = gst_element_get_static_pad(detect.element(), "sink");
  GstCudaContext* offered = offered_context(pad);
  EXPECT_EQ(offered, context_);
  gst_clear_object(&offered);
  gst_object_unref(pad);
}

TEST_F(CudaMemory, AllElementsInARowLeaveTheFrameOnTheDevice) {
  if (detector().empty()) GTEST_SKIP() << "no detector with landmarks is here";
  if (find_expression_model().empty()) GTEST_SKIP() << "no expression model is here";
  const ScopedFolder folder;
  const std::string description =
      "ferdetect model=" + detector() +
      " ! ferinfer model-slot=row ! ferlearn name=learn model-slot=row ! "
      "ferpublish location=" +
      (folder.path() / "faces.jsonl").string() + " ! feroverlay";
  Harness row(ElementPtr(gst_parse_bin_from_description(description.c_str(), TRUE, nullptr)));
  row.set_caps(caps("NV12"));
  for (int i = 0; i < 3; ++i) {
    BufferPtr frame = device_frame("NV12", i);
    const auto before = counts();
    const BufferPtr out = pass(row, std::move(frame));
    ASSERT_TRUE(out);
    EXPECT_TRUE(gst_is_cuda_memory(gst_buffer_peek_memory(out.get(), 0)));
    EXPECT_THAT(faces_of(out.get()), SizeIs(2));
    // The learner takes crops of its own.
    EXPECT_LE(counts().downloaded - before.downloaded,
              (i == 0 ? kLooks + kTurnedLooks : kLook) + 4 * 48 * 48);
  }
  const ElementPtr learn(gst_bin_get_by_name(GST_BIN(row.element()), "learn"));
  EXPECT_GE(stat(learn.get(), "sampled").value_or(0), 2);
  EXPECT_EQ(stat(learn.get(), "failed"), 0);
}

TEST_F(CudaMemory, FramesAreDownloadedWhereTheDeviceRunsOutOfMemory) {
  if (detector().empty()) GTEST_SKIP() << "no detector with landmarks is here";
  Harness detect(make_element("ferdetect", {{"model", detector()}}));
  Harness overlay(make_element("feroverlay"));
  detect.set_caps(caps("NV12"));
  overlay.set_caps(caps("NV12"));
  std::vector<BufferPtr> frames;
  for (int i = 0; i < 3; ++i) frames.push_back(device_frame("NV12", i));
  out_of_memory_(true);
  std::vector<std::size_t> found;
  for (BufferPtr& frame : frames)
    found.push_back(faces_of(pass(overlay, pass(detect, std::move(frame))).get()).size());
  out_of_memory_(false);
  EXPECT_EQ(found, (std::vector<std::size_t>{0, 2, 2}));
  EXPECT_EQ(stat(detect.element(), "failed"), 1);
  EXPECT_EQ(stat(overlay.element(), "failed"), 1);
  EXPECT_EQ(stat(overlay.element(), "drawn"), 1);
  for (Harness* harness : {&detect, &overlay}) {
    const MessagePtr fault = harness->messages().wait(GST_MESSAGE_WARNING);
    ASSERT_TRUE(fault);
    EXPECT_THAT(message_text(fault.get()), HasSubstr("out of memory"));
    const MessagePtr remedy = harness->messages().wait(GST_MESSAGE_WARNING);
    ASSERT_TRUE(remedy);
    EXPECT_THAT(message_text(remedy.get()), HasSubstr("downloaded"));
  }
}

TEST_F(CudaMemory, AutoSaysWhyItIsTheProcessor) {
  if (find_expression_model().empty()) GTEST_SKIP() << "no expression model is here";
  Harness infer(make_element("ferinfer"));
  const MessagePtr warning = infer.messages().wait(GST_MESSAGE_WARNING, 0);
  if (!warning) GTEST_SKIP() << "LibTorch has CUDA here";
  EXPECT_THAT(message_text(warning.get()), HasSubstr("finds no CUDA device"));
  EXPECT_THAT(message_text(warning.get()), HasSubstr("device=cpu"));
}

// --- Where libfer-cuda cannot be opened.

using CudaMemoryWithoutKernels = CudaMemory;

TEST_F(CudaMemoryWithoutKernels, FramesAreDownloadedAndTheRemedyIsToldOnce) {
  if (detector().empty()) GTEST_SKIP() << "no detector with landmarks is here";
  Harness detect(make_element("ferdetect", {{"model", detector()}}));
  detect.set_caps(caps("NV12"));
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(faces_of(pass(detect, device_frame("NV12", i)).get()), SizeIs(2));
  const MessagePtr warning = detect.messages().wait(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()), HasSubstr("libfer-cuda cannot be opened"));
  EXPECT_EQ(detect.messages().count(GST_MESSAGE_WARNING), 0);
}

}  // namespace
}  // namespace fer
