// Draws the README's picture of feroverlay: faces that we drew ourselves, with made-up metadata.
//
//   overlay-picture OUT.png [few|crowd|single] [WIDTH HEIGHT]
#include <cairo.h>
#include <gst/check/gstharness.h>

#include <cstdlib>
#include <iostream>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "data/drawn_face.h"
#include "face-meta.h"
#include "model/labels.h"
#include "video-frame.h"

namespace {

struct Person {
  double x, y, height;  ///< Of the face's centre and from forehead to chin, in picture heights.
  float mouth, tilt;
  cv::Scalar tint;  ///< Factors of blue, green, red.
  int label;
  double confidence;
  int runner_up;
};

const std::vector<Person> kFew{
    {0.31, 0.57, 0.52, 1.0f, -3.f, {1, 1, 1}, 1, 0.94, 2},
    {1.10, 0.64, 0.42, -1.0f, 3.f, {0.72, 0.76, 0.80}, 3, 0.71, 6},
    {1.83, 0.69, 0.36, 0.1f, 0.f, {0.95, 0.92, 0.88}, 0, 0.83, 7},
};

std::vector<Person> crowd() {
  std::vector<Person> people;
  for (int i = 0; i < 24; ++i) {
    const double tone = 0.65 + 0.05 * (i % 8);
    people.push_back({0.13 + 0.22 * (i % 8),
                      0.2 + 0.3 * (i / 8),
                      0.11,
                      (i % 5) / 2.f - 1,
                      static_cast<float>(i % 7 - 3),
                      {tone, tone, tone + 0.02},
                      i % 8,
                      0.5 + 0.02 * i,
                      (i + 3) % 8});
  }
  return people;
}

/// A wall that is lighter above; each row has one colour, which makes small PNG files.
cv::Mat background(cv::Size size) {
  cv::Mat picture(size, CV_8UC3);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const double light = 1 - 0.35 * y / size.height;
      picture.at<cv::Vec3b>(y, x) =
          cv::Vec3b(cv::saturate_cast<uchar>(178 * light), cv::saturate_cast<uchar>(170 * light),
                    cv::saturate_cast<uchar>(150 * light));
    }
  }
  return picture;
}

fer::FaceRecord draw(cv::Mat& picture, const Person& person, std::size_t number) {
  const double unit = picture.rows;
  const fer::test::DrawnFaceSpec spec{
      {static_cast<float>(person.x * unit), static_cast<float>(person.y * unit)},
      static_cast<float>(person.height * unit),
      person.mouth,
      person.tilt};
  // On black it is the face alone, weighted by its opacity: what the tint takes away.
  cv::Mat alone = cv::Mat::zeros(picture.size(), picture.type());
  fer::test::draw_face_at(alone, spec);
  const fer::test::DrawnFace face = fer::test::draw_face_at(picture, spec);
  cv::multiply(alone, cv::Scalar::all(1) - person.tint, alone);
  cv::subtract(picture, alone, picture);

  fer::FaceRecord record;
  record.track_id = number;
  record.x = face.box.x / picture.cols;
  record.y = face.box.y / picture.rows;
  record.w = face.box.width / picture.cols;
  record.h = face.box.height / picture.rows;
  record.confidence = 0.97;
  auto& landmarks = record.landmarks.emplace();
  for (std::size_t i = 0; i < face.landmarks.size(); ++i) {
    landmarks[2 * i] = face.landmarks[i].x / picture.cols;
    landmarks[2 * i + 1] = face.landmarks[i].y / picture.rows;
  }
  const auto& labels = fer::ferplus_labels();
  fer::Expression& expression = record.expression.emplace();
  expression.labels = labels;
  expression.label_id = person.label;
  expression.label = labels[static_cast<std::size_t>(person.label)];
  const double rest = 1 - person.confidence;
  expression.probabilities.assign(labels.size(), static_cast<float>(rest * 0.4 / 6));
  expression.probabilities[static_cast<std::size_t>(person.runner_up)] =
      static_cast<float>(rest * 0.6);
  expression.probabilities[static_cast<std::size_t>(person.label)] =
      static_cast<float>(person.confidence);
  return record;
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc != 2 && argc != 3 && argc != 5) {
    std::cerr << "usage: " << argv[0] << " OUT.png [few|crowd|single] [WIDTH HEIGHT]\n";
    return 2;
  }
  const std::string scene = argc > 2 ? argv[2] : "few";
  const cv::Size size =
      argc > 4 ? cv::Size(std::atoi(argv[3]), std::atoi(argv[4])) : cv::Size(960, 400);
  std::vector<Person> people = scene == "crowd" ? crowd() : kFew;
  if (scene == "single") people = {{0.9, 0.5, 0.6, 1, 3, {1, 1, 1}, 1, 0.88, 2}};

  cv::Mat picture = background(size);
  std::vector<fer::FaceRecord> faces;
  for (std::size_t i = 0; i < people.size(); ++i) {
    faces.push_back(draw(picture, people[i], i + 1));
  }

  GstHarness* harness = gst_harness_new("feroverlay");
  g_object_set(harness->element, "show-landmarks", scene != "crowd", nullptr);
  const std::string caps =
      "video/x-raw,format=BGRx,framerate=30/1,width=" + std::to_string(size.width) +
      ",height=" + std::to_string(size.height);
  gst_harness_set_src_caps_str(harness, caps.c_str());
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_BGRx, static_cast<guint>(size.width),
                            static_cast<guint>(size.height));
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr);
  {
    const fer::MappedFrame frame(info, buffer, GST_MAP_WRITE);
    const fer::FrameView view = frame.view();
    cv::Mat pixels(size, CV_8UC4, const_cast<std::uint8_t*>(view.data[0]),
                   static_cast<std::size_t>(view.stride[0]));
    cv::cvtColor(picture, pixels, cv::COLOR_BGR2BGRA);
  }
  fer::face_meta_write(buffer, info, faces);
  buffer = gst_harness_push_and_pull(harness, buffer);

  int result = 0;
  {
    const fer::MappedFrame frame(info, buffer, GST_MAP_READ);
    const fer::FrameView view = frame.view();
    // Cairo's RGB24 is BGRx in memory on little-endian machines, as nearly all are.
    cairo_surface_t* surface = cairo_image_surface_create_for_data(
        const_cast<std::uint8_t*>(view.data[0]), CAIRO_FORMAT_RGB24, size.width, size.height,
        view.stride[0]);
    const cairo_status_t status = cairo_surface_write_to_png(surface, argv[1]);
    cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS) {
      std::cerr << argv[1] << ": " << cairo_status_to_string(status) << '\n';
      result = 1;
    }
  }
  gst_buffer_unref(buffer);
  gst_harness_teardown(harness);
  return result;
}
