#include "report/confusion_plot.h"

#include <cairo.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include "report/plot_canvas.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::ScopedFolder;
using testing::HasSubstr;

/// Where the pixels of the colour of a full cell lie in a PNG.
struct FullCells {
  int width = 0, height = 0;
  double count = 0;
  double left_of_top = 0, left_of_bottom = 0;  ///< Mean x of those in either half.
};

FullCells full_cells(const fs::path& path) {
  cairo_surface_t* surface = cairo_image_surface_create_from_png(path.c_str());
  EXPECT_EQ(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
  FullCells cells;
  cells.width = cairo_image_surface_get_width(surface);
  cells.height = cairo_image_surface_get_height(surface);
  const unsigned char* data = cairo_image_surface_get_data(surface);
  const int stride = cairo_image_surface_get_stride(surface);
  double ys = 0;
  std::vector<std::pair<int, int>> pixels;
  for (int y = 0; y < cells.height; ++y) {
    const auto* row = reinterpret_cast<const std::uint32_t*>(data + y * stride);
    for (int x = 0; x < cells.width; ++x) {
      // Navy, as far as rounding goes.
      const int red = row[x] >> 16 & 255, green = row[x] >> 8 & 255, blue = row[x] & 255;
      if (std::abs(red - 0x08) > 1 || std::abs(green - 0x30) > 1 || std::abs(blue - 0x6b) > 1)
        continue;
      pixels.emplace_back(x, y);
      ys += y;
    }
  }
  cells.count = static_cast<double>(pixels.size());
  double top = 0, bottom = 0;
  for (const auto& [x, y] : pixels) {
    const bool upper = y < ys / cells.count;
    (upper ? top : bottom) += 1;
    (upper ? cells.left_of_top : cells.left_of_bottom) += x;
  }
  cells.left_of_top /= top;
  cells.left_of_bottom /= bottom;
  cairo_surface_destroy(surface);
  return cells;
}

Confusion two(int right, int wrong) {
  Confusion confusion({"neutral", "happiness"});
  for (int label : {0, 1}) {
    for (int i = 0; i < right; ++i) confusion.add(label, label);
    for (int i = 0; i < wrong; ++i) confusion.add(label, 1 - label);
  }
  return confusion;
}

TEST(PlotConfusion, DarkensTheDiagonalOfAModelThatIsRight) {
  const ScopedFolder folder;
  const fs::path path = folder.path() / "right.png";
  plot_confusion(path, two(9, 0), "Title", "caption");
  const FullCells cells = full_cells(path);
  // Two cells of at least 66 x 66 px, drawn at twice the size, less what is written on them.
  EXPECT_GT(cells.count, 2 * 4 * 66 * 66 * 0.7);
  EXPECT_LT(cells.left_of_top, cells.left_of_bottom);
}

TEST(PlotConfusion, DarkensTheOtherCellsOfOneThatIsWrong) {
  const ScopedFolder folder;
  const fs::path path = folder.path() / "wrong.PNG";
  plot_confusion(path, two(0, 9), "Title", "caption");
  const FullCells cells = full_cells(path);
  EXPECT_GT(cells.left_of_top, cells.left_of_bottom);
}

TEST(PlotConfusion, ColoursByTheShareOfTheRow) {
  const ScopedFolder folder;
  plot_confusion(folder.path() / "half.png", two(5, 5), "Title", "caption");
  EXPECT_EQ(full_cells(folder.path() / "half.png").count, 0);
}

TEST(PlotConfusion, GrowsWithItsTexts) {
  const ScopedFolder folder;
  plot_confusion(folder.path() / "a.png", two(1, 0), "Title", "caption");
  plot_confusion(folder.path() / "b.png", two(1, 0), std::string(80, 'm'), "caption");
  Confusion long_labels({"a label that is long", "b"});
  long_labels.add(0, 0);
  plot_confusion(folder.path() / "c.png", long_labels, "Title", "caption");
  const FullCells a = full_cells(folder.path() / "a.png");
  EXPECT_GT(full_cells(folder.path() / "b.png").width, 2 * a.width);
  EXPECT_GT(full_cells(folder.path() / "c.png").width, a.width);
  EXPECT_EQ(full_cells(folder.path() / "c.png").height, a.height);
}

TEST(PlotConfusion, WritesSvg) {
  const ScopedFolder folder;
  const fs::path path = folder.path() / "plot.svg";
  plot_confusion(path, two(3, 1), "Title", "caption");
  std::ifstream in(path);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(text, testing::AllOf(HasSubstr("<svg"), HasSubstr("</svg>")));
}

TEST(PlotConfusion, NamesWhatItCannotWrite) {
  const ScopedFolder folder;
  EXPECT_TRUE(is_plot_path("a.svg"));
  EXPECT_FALSE(is_plot_path("a.jpg"));
  EXPECT_FALSE(is_plot_path("png"));
  for (const char* name : {"plot.jpg", "none/plot.png"}) {
    try {
      plot_confusion(folder.path() / name, two(1, 0), "", "");
      FAIL() << name;
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace fer
