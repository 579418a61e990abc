#include "overlay-cover.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace fer {
namespace {

/// How samples fall into cells along one direction.
struct Cells {
  int begin, length;  ///< Samples.
  int count;

  /// The cell of the i-th sample.
  int of(int i) const { return static_cast<int>(static_cast<std::int64_t>(i) * count / length); }
  /// The first sample of a cell; of the one behind the last, the length.
  int first_of(int cell) const {
    return static_cast<int>((static_cast<std::int64_t>(cell) * length + count - 1) / count);
  }
  /// Where the i-th sample lies between the middles of cells, held at the ends.
  double place(int i) const { return std::clamp((i + 0.5) * count / length - 0.5, 0., count - 1.); }
};

/// `first` to `last` are pixels of a frame of `size`; a sample stands for 2^`shift` of them.
Cells cells_of(int first, int last, int size, double face, int shift) {
  const int step = 1 << shift;
  const int begin = first >> shift;
  const int end = std::min((last + step - 1) >> shift, (size + step - 1) >> shift);
  const int length = std::max(1, end - begin);
  const double wanted = (last - first) * kCellsAcrossFace / std::max(1., face);
  return {begin, length, std::clamp(static_cast<int>(wanted), 1, length)};
}

/// One component of a frame, in the part that is covered.
template <typename Sample>
class Component {
 public:
  Component(const GstVideoFrame& frame, guint number, const Cells& columns, const Cells& rows)
      : columns_(columns),
        rows_(rows),
        stride_(GST_VIDEO_FRAME_COMP_STRIDE(&frame, number)),
        step_(GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, number)),
        data_(static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(
                  &frame, GST_VIDEO_FORMAT_INFO_PLANE(frame.info.finfo, number))) +
              component_offset(*frame.info.finfo, number) +
              static_cast<std::ptrdiff_t>(rows.begin) * stride_ +
              static_cast<std::ptrdiff_t>(columns.begin) * step_),
        // Formats such as P010 keep their value in the upper bits, with zeros below.
        mask_(static_cast<Sample>(~0u << unused_bits(frame, number))) {}

  void cover(CoverStyle style) {
    std::vector<float> grid = means(), values(static_cast<std::size_t>(columns_.length));
    if (style == CoverStyle::kPixelate) {
      for (int y = 0; y < rows_.length; ++y) {
        fill_row(grid, y, values);
        write_row(y, values);
      }
      return;
    }
    smooth(grid);
    std::vector<double> places(values.size());
    for (int x = 0; x < columns_.length; ++x) {
      places[static_cast<std::size_t>(x)] = columns_.place(x);
    }
    for (int y = 0; y < rows_.length; ++y) {
      blend_row(grid, y, places, values);
      write_row(y, values);
    }
  }

 private:
  static int unused_bits(const GstVideoFrame& frame, guint number) {
    return sizeof(Sample) == 1
               ? 0
               : static_cast<int>(GST_VIDEO_FORMAT_INFO_SHIFT(frame.info.finfo, number));
  }

  Sample& at(int row, int column) const {
    return *reinterpret_cast<Sample*>(data_ + static_cast<std::ptrdiff_t>(row) * stride_ +
                                      static_cast<std::ptrdiff_t>(column) * step_);
  }

  std::size_t cell(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_.count) +
           static_cast<std::size_t>(column);
  }

  std::vector<float> means() const {
    const std::size_t size = cell(rows_.count, 0);
    std::vector<std::uint64_t> sums(size), counts(size);
    for (int y = 0; y < rows_.length; ++y) {
      const int row = rows_.of(y);
      for (int column = 0; column < columns_.count; ++column) {
        const int end = columns_.first_of(column + 1);
        std::uint64_t sum = 0;
        int x = columns_.first_of(column);
        counts[cell(row, column)] += static_cast<std::uint64_t>(end - x);
        for (; x < end; ++x) sum += at(y, x);
        sums[cell(row, column)] += sum;
      }
    }
    std::vector<float> grid(size);
    for (std::size_t i = 0; i < size; ++i) {
      grid[i] = static_cast<float>(static_cast<double>(sums[i]) / static_cast<double>(counts[i]));
    }
    return grid;
  }

  /// A binomial kernel of three cells each way, held at the ends.
  void smooth(std::vector<float>& grid) const {
    const auto pass = [&](int lines, int length, auto&& index) {
      std::vector<float> line(static_cast<std::size_t>(length));
      for (int i = 0; i < lines; ++i) {
        for (int j = 0; j < length; ++j) {
          const float before = grid[index(i, std::max(j - 1, 0))];
          const float after = grid[index(i, std::min(j + 1, length - 1))];
          line[static_cast<std::size_t>(j)] = (before + 2 * grid[index(i, j)] + after) / 4;
        }
        for (int j = 0; j < length; ++j) grid[index(i, j)] = line[static_cast<std::size_t>(j)];
      }
    };
    pass(rows_.count, columns_.count, [&](int row, int column) { return cell(row, column); });
    pass(columns_.count, rows_.count, [&](int column, int row) { return cell(row, column); });
  }

  /// The values of a row of cells, for each of the samples below them.
  void fill_row(const std::vector<float>& grid, int y, std::vector<float>& values) const {
    const int row = rows_.of(y);
    for (int column = 0; column < columns_.count; ++column) {
      std::fill(values.begin() + columns_.first_of(column),
                values.begin() + columns_.first_of(column + 1), grid[cell(row, column)]);
    }
  }

  /// The value of each sample of a row, between the middles of the four cells around it.
  void blend_row(const std::vector<float>& grid, int y, const std::vector<double>& places,
                 std::vector<float>& values) const {
    const double down = rows_.place(y);
    const int above = static_cast<int>(down), below = std::min(above + 1, rows_.count - 1);
    const auto lower = static_cast<float>(down - above);
    // One cell more, which those right of the last middle read with no weight.
    std::vector<float> line(static_cast<std::size_t>(columns_.count) + 1);
    for (int i = 0; i < columns_.count; ++i) {
      line[static_cast<std::size_t>(i)] =
          grid[cell(above, i)] * (1 - lower) + grid[cell(below, i)] * lower;
    }
    for (std::size_t x = 0; x < values.size(); ++x) {
      const auto left = static_cast<std::size_t>(places[x]);
      const auto further = static_cast<float>(places[x] - static_cast<double>(left));
      values[x] = line[left] * (1 - further) + line[left + 1] * further;
    }
  }

  void write_row(int y, const std::vector<float>& values) const {
    for (int x = 0; x < columns_.length; ++x) {
      const float value = values[static_cast<std::size_t>(x)] + 0.5f;
      at(y, x) = static_cast<Sample>(static_cast<Sample>(value) & mask_);
    }
  }

  Cells columns_, rows_;
  std::ptrdiff_t stride_, step_;
  std::uint8_t* data_;
  Sample mask_;
};

}  // namespace

Rect cover_of(const FaceRecord& face, int width, int height) {
  const double across = kCoverMargin * face.w, down = kCoverMargin * face.h;
  const auto first = [](double share, int size) {
    return std::clamp(static_cast<int>(std::floor(share * size)), 0, size - 1);
  };
  const auto last = [](double share, int size) {
    return std::clamp(static_cast<int>(std::ceil(share * size)), 1, size);
  };
  const int x = first(face.x - across, width), y = first(face.y - down, height);
  return {x, y, last(face.x + face.w + across, width) - x,
          last(face.y + face.h + down, height) - y};
}

void cover_pixels(GstVideoFrame& frame, const Rect& rect, double face_width, double face_height,
                  CoverStyle style) {
  const GstVideoFormatInfo* format = frame.info.finfo;
  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS(&frame); ++i) {
    if (i == GST_VIDEO_COMP_A) continue;
    const Cells columns = cells_of(rect.x, rect.right(), GST_VIDEO_FRAME_WIDTH(&frame), face_width,
                                   static_cast<int>(GST_VIDEO_FORMAT_INFO_W_SUB(format, i)));
    const Cells rows = cells_of(rect.y, rect.bottom(), GST_VIDEO_FRAME_HEIGHT(&frame), face_height,
                                static_cast<int>(GST_VIDEO_FORMAT_INFO_H_SUB(format, i)));
    if (GST_VIDEO_FORMAT_INFO_DEPTH(format, i) > 8) {
      Component<std::uint16_t>(frame, i, columns, rows).cover(style);
    } else {
      Component<std::uint8_t>(frame, i, columns, rows).cover(style);
    }
  }
}

}  // namespace fer
