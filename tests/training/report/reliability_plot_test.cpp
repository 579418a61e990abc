#include "report/reliability_plot.h"

#include <cairo.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "error_of.h"
#include "scoped.h"
#include "training/evaluation/drawn_predictions.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

/// `right` of `all` faces that were told with this confidence.
Predictions told(float confidence, int right, int all) {
  std::vector<test::DrawnFace> faces;
  for (int i = 0; i < all; ++i) faces.push_back({i < right ? 0 : 1, {confidence, 1 - confidence}});
  return test::drawn_predictions({"neutral", "fear"}, faces);
}

/// Pixels of the colour of the gaps between confidence and accuracy.
int gap_pixels(const fs::path& path) {
  cairo_surface_t* surface = cairo_image_surface_create_from_png(path.c_str());
  EXPECT_EQ(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
  const unsigned char* data = cairo_image_surface_get_data(surface);
  int count = 0;
  for (int y = 0; y < cairo_image_surface_get_height(surface); ++y) {
    const auto* row =
        reinterpret_cast<const std::uint32_t*>(data + y * cairo_image_surface_get_stride(surface));
    for (int x = 0; x < cairo_image_surface_get_width(surface); ++x) {
      const int red = row[x] >> 16 & 255, green = row[x] >> 8 & 255, blue = row[x] & 255;
      count += std::abs(red - 217) < 12 && std::abs(green - 84) < 12 && std::abs(blue - 59) < 12;
    }
  }
  cairo_surface_destroy(surface);
  return count;
}

/// Ten faces for each of the plot's 15 bins, `right` of them right. Confidence is `first` in the
/// first bin and grows by `step` from bin to bin.
Predictions told_in_bins(float first, float step, int right) {
  std::vector<test::DrawnFace> faces;
  for (int i = 0; i < 150; ++i) {
    const float confidence = first + step * static_cast<float>(i / 10);
    faces.push_back({i % 10 < right ? 0 : 1, {confidence, 1 - confidence}});
  }
  return test::drawn_predictions({"neutral", "fear"}, faces);
}

TEST(PlotReliability, DrawsTheGapBetweenConfidenceAndAccuracy) {
  const test::ScopedFolder folder;
  const auto draw = [&](const Predictions& p) {
    plot_reliability(folder.path() / "plot.png", p, "Title", "caption");
    return gap_pixels(folder.path() / "plot.png");
  };
  // Never right: 15 gaps of at least .6, at 420 px per whole and two pixels wide, drawn at twice
  // the size; edges are mixed with what is below them.
  const int sure = draw(told_in_bins(0.6f, 0.025f, 0));
  EXPECT_GT(sure, 15 * 0.6 * 420 * 2 * 2 * 2 / 2);
  // Right in 8 of 10 cases, as it says.
  EXPECT_LT(draw(told_in_bins(0.8f, 0, 8)), sure / 20);
}

TEST(PlotReliability, WritesSvg) {
  const test::ScopedFolder folder;
  plot_reliability(folder.path() / "plot.svg", told(0.7f, 3, 4), "Title", "caption");
  std::ifstream in(folder.path() / "plot.svg");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(text, AllOf(HasSubstr("<svg"), HasSubstr("</svg>")));
}

TEST(PlotReliability, NamesWhatItCannotWrite) {
  const test::ScopedFolder folder;
  EXPECT_THAT(test::error_of(
                  [&] { plot_reliability(folder.path() / "plot.jpg", told(0.7f, 3, 4), "", ""); }),
              HasSubstr("plot.jpg"));
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace fer
