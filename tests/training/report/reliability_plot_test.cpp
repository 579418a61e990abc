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

TEST(PlotReliability, DrawsTheGapBetweenConfidenceAndAccuracy) {
  const test::ScopedFolder folder;
  const auto draw = [&](const Predictions& p) {
    plot_reliability(folder.path() / "plot.png", p, "Title", "caption");
    return gap_pixels(folder.path() / "plot.png");
  };
  // A bin's gap is drawn 420 px high per whole, at twice the size and two pixels wide.
  const int honest = draw(told(0.8f, 12, 15)), sure = draw(told(0.8f, 3, 15));
  EXPECT_GT(sure, 0.5 * 2 * 420 * 2 * 2 * 0.8);
  EXPECT_LT(honest, sure);
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
