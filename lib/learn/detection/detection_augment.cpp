#include "learn/detection/detection_augment.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fer {
namespace {

/// A rectangle of the view that one photo fills.
struct Tile {
  int x = 0, y = 0, width = 0, height = 0;
};

double log_uniform(Random& random, double low, double high) {
  return std::exp(random.uniform(std::log(low), std::log(high)));
}

double log_about_one(Random& random, double range) {
  return std::exp(random.uniform(-range, range));
}

/// A grey picture; the photo itself, or a smaller one.
struct Picture {
  int width = 0, height = 0;
  std::span<const std::uint8_t> pixels;

  /// Between the pixels, the border repeated. Pixel centres are at whole coordinates.
  float at(float x, float y) const {
    x = std::clamp(x, 0.f, static_cast<float>(width - 1));
    y = std::clamp(y, 0.f, static_cast<float>(height - 1));
    const int x0 = static_cast<int>(x), y0 = static_cast<int>(y);
    const int x1 = std::min(x0 + 1, width - 1), y1 = std::min(y0 + 1, height - 1);
    const float fx = x - static_cast<float>(x0), fy = y - static_cast<float>(y0);
    const auto pixel = [&](int r, int c) {
      return static_cast<float>(
          pixels[static_cast<std::size_t>(r) * static_cast<std::size_t>(width) +
                 static_cast<std::size_t>(c)]);
    };
    const float top = pixel(y0, x0) + fx * (pixel(y0, x1) - pixel(y0, x0));
    const float bottom = pixel(y1, x0) + fx * (pixel(y1, x1) - pixel(y1, x0));
    return top + fy * (bottom - top);
  }
};

/// Averages 2 x 2 pixels to one; an odd last row or column is dropped.
std::vector<std::uint8_t> halved(const Picture& from, int& width, int& height) {
  width = std::max(1, from.width / 2);
  height = std::max(1, from.height / 2);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(width) *
                                   static_cast<std::size_t>(height));
  const auto at = [&](int r, int c) {
    return from.pixels[static_cast<std::size_t>(std::min(r, from.height - 1)) *
                           static_cast<std::size_t>(from.width) +
                       static_cast<std::size_t>(std::min(c, from.width - 1))];
  };
  auto to = pixels.begin();
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      *to++ = static_cast<std::uint8_t>((at(2 * y, 2 * x) + at(2 * y, 2 * x + 1) +
                                         at(2 * y + 1, 2 * x) + at(2 * y + 1, 2 * x + 1) + 2) /
                                        4);
    }
  }
  return pixels;
}

/// The map from the view to the photo: photo = centre + matrix * (view - middle). Coordinates run
/// along edges: a pixel's centre lies at a half.
struct Placement {
  double xx = 1, xy = 0, yx = 0, yy = 1;    ///< View → photo.
  double ix = 1, ixy = 0, iyx = 0, iy = 1;  ///< Photo → view, the inverse.
  double photo_x = 0, photo_y = 0;          ///< Point of the photo …
  double view_x = 0, view_y = 0;            ///< … that lies here in the view.
  bool mirrored = false;
  double scale_x = 1, scale_y = 1;  ///< How large a pixel of the photo becomes.

  void to_view(float& x, float& y) const {
    const double u = x - photo_x, v = y - photo_y;
    x = static_cast<float>(view_x + ix * u + ixy * v);
    y = static_cast<float>(view_y + iyx * u + iy * v);
  }
};

double longest(const Tile& tile) {
  return std::max(tile.width, tile.height);
}

Placement place(const DetectionDataset& data, std::size_t photo, const Tile& tile,
                const DetectionAugmentConfig& config, Random& random) {
  const double width = data.width(photo), height = data.height(photo);
  std::vector<const SceneFace*> sure;
  for (const SceneFace& face : data.faces(photo))
    if (face.sure) sure.push_back(&face);

  // A photo fills at least half of its tile.
  const double min = 0.5 * longest(tile) / std::max(width, height);
  double scale = log_uniform(random, min, std::max(2 * min, 2.0));
  Placement p;
  p.view_x = tile.x + tile.width / 2.0;
  p.view_y = tile.y + tile.height / 2.0;
  p.photo_x = width / 2;
  p.photo_y = height / 2;
  const SceneFace* chosen = sure.empty() ? nullptr : sure[random.below(sure.size())];
  if (chosen != nullptr) {
    const double side = std::min(tile.width, tile.height);
    const double max = std::max(config.min_face * 1.01, config.largest_face * side);
    scale = log_uniform(random, config.min_face, max) / chosen->height;
  }
  scale = std::clamp(scale, min, std::max(min, config.largest_zoom));

  const double stretch = log_about_one(random, config.stretch);
  p.scale_x = scale * stretch;
  p.scale_y = scale / stretch;
  p.mirrored = random.chance(config.flip);
  const double most = config.turned > 0 && random.chance(config.turned) ? 180 : config.rotation;
  const double angle = random.uniform(-most, most) * std::numbers::pi / 180;
  const double sine = std::sin(angle), cosine = std::cos(angle), sign = p.mirrored ? -1 : 1;
  // Photo → view: scale, mirror, turn; and back.
  p.ix = cosine * sign * p.scale_x;
  p.ixy = -sine * p.scale_y;
  p.iyx = sine * sign * p.scale_x;
  p.iy = cosine * p.scale_y;
  p.xx = cosine * sign / p.scale_x;
  p.xy = sine * sign / p.scale_x;
  p.yx = -sine / p.scale_y;
  p.yy = cosine / p.scale_y;

  if (chosen != nullptr) {
    // The chosen face lies anywhere in the tile, whole where it fits.
    p.photo_x = chosen->x + chosen->width / 2;
    p.photo_y = chosen->y + chosen->height / 2;
    const auto spot = [&](int from, int length, double face) {
      const double margin = std::min(face / 2, length * 0.4);
      return from + random.uniform(margin, std::max(margin + 1e-3, length - margin));
    };
    p.view_x = spot(tile.x, tile.width, chosen->width * p.scale_x);
    p.view_y = spot(tile.y, tile.height, chosen->height * p.scale_y);
  }
  // Then moved so that the tile shows as much of the photo as it can hold. Turned, a photo reaches
  // this far from the chosen point.
  double left = 0, right = 0, top = 0, bottom = 0;
  for (const double corner_x : {0.0, width}) {
    for (const double corner_y : {0.0, height}) {
      const double u = corner_x - p.photo_x, v = corner_y - p.photo_y;
      const double x = p.ix * u + p.ixy * v, y = p.iyx * u + p.iy * v;
      left = std::min(left, x);
      right = std::max(right, x);
      top = std::min(top, y);
      bottom = std::max(bottom, y);
    }
  }
  const auto fit = [&](int from, int length, double at, double before, double after) {
    const double rest = length - (after - before);  // black at its sides, or cut off
    const double low = from + std::min(0.0, rest), high = from + std::max(0.0, rest);
    const double start =
        chosen == nullptr ? random.uniform(low, high) : std::clamp(at + before, low, high);
    return start - before;
  };
  p.view_x = fit(tile.x, tile.width, p.view_x, left, right);
  p.view_y = fit(tile.y, tile.height, p.view_y, top, bottom);
  return p;
}

/// The pixels of a tile, before changes of light.
void draw(const DetectionDataset& data, std::size_t photo, const Tile& tile, const Placement& p,
          int side, std::span<float> out) {
  Picture picture{data.width(photo), data.height(photo), data.pixels(photo)};
  // Halve the photo as long as it must shrink by two or more. Four samples per pixel do the rest.
  std::vector<std::uint8_t> kept;
  double size = 1;
  const double shrink = 1 / std::min(p.scale_x, p.scale_y);
  while (shrink / size >= 2 && picture.width > 1 && picture.height > 1) {
    int width = 0, height = 0;
    std::vector<std::uint8_t> half = halved(picture, width, height);
    kept = std::move(half);
    picture = {width, height, kept};
    size *= 2;
  }
  const int samples = shrink / size > 1.15 ? 2 : 1;
  const double width = data.width(photo), height = data.height(photo);
  for (int y = tile.y; y < tile.y + tile.height; ++y) {
    float* row = out.data() + static_cast<std::ptrdiff_t>(y) * side;
    for (int x = tile.x; x < tile.x + tile.width; ++x) {
      float sum = 0;
      for (int s = 0; s < samples * samples; ++s) {
        const double u = x + (s % samples + 0.5) / samples - p.view_x;
        const double v = y + (s / samples + 0.5) / samples - p.view_y;
        const double from_x = p.photo_x + p.xx * u + p.xy * v;
        const double from_y = p.photo_y + p.yx * u + p.yy * v;
        if (from_x < 0 || from_y < 0 || from_x >= width || from_y >= height) continue;
        sum += picture.at(static_cast<float>(from_x / size - 0.5),
                          static_cast<float>(from_y / size - 0.5));
      }
      row[x] = sum / static_cast<float>(samples * samples);
    }
  }
}

/// Appends the faces of a photo that lie in its tile.
void place_faces(std::span<const SceneFace> faces, const Tile& tile, const Placement& p,
                 std::vector<ViewFace>& placed) {
  const float left = static_cast<float>(tile.x), top = static_cast<float>(tile.y);
  const float right = left + static_cast<float>(tile.width);
  const float bottom = top + static_cast<float>(tile.height);
  const auto inside = [&](float x, float y) {
    return x >= left && y >= top && x < right && y < bottom;
  };
  for (const SceneFace& face : faces) {
    ViewFace made;
    // A face is about an ellipse: a box around the turned box would be too large.
    float x = face.x + face.width / 2, y = face.y + face.height / 2;
    p.to_view(x, y);
    const double face_width = static_cast<double>(face.width);
    const double face_height = static_cast<double>(face.height);
    const auto width = static_cast<float>(std::hypot(p.ix * face_width, p.ixy * face_height));
    const auto height = static_cast<float>(std::hypot(p.iyx * face_width, p.iy * face_height));
    made.x = std::max(left, x - width / 2);
    made.y = std::max(top, y - height / 2);
    made.width = std::min(right, x + width / 2) - made.x;
    made.height = std::min(bottom, y + height / 2) - made.y;
    if (made.width <= 0 || made.height <= 0) continue;
    made.score = face.score;
    // Where the edge cuts a face in the middle, its box is unknown.
    made.sure = face.sure && inside(x, y) && made.width * made.height > 0.6f * width * height;
    made.points = face.points;
    for (std::size_t k = 0; k < made.points.size(); k += 2)
      p.to_view(made.points[k], made.points[k + 1]);
    if (p.mirrored) swap_sides(made.points);
    for (std::size_t k = 0; k < made.visible.size(); ++k)
      made.visible[k] = inside(made.points[2 * k], made.points[2 * k + 1]);
    placed.push_back(made);
  }
}

/// Gamma, contrast, brightness, and light that falls off to one side.
void light(std::span<float> out, int side, const Tile& tile, const DetectionAugmentConfig& config,
           Random& random) {
  const double gamma = log_about_one(random, config.gamma);
  double gain = log_about_one(random, config.contrast);
  if (random.chance(config.dark)) gain *= log_uniform(random, config.darkest, 1);
  const double shift = 255 * random.uniform(-config.brightness, config.brightness) * gain;
  std::array<float, 257> curve;
  for (int i = 0; i < 257; ++i) {
    curve[static_cast<std::size_t>(i)] =
        static_cast<float>(255 * std::pow(std::min(i, 255) / 255.0, gamma) * gain + shift);
  }
  double across = 0, down = 0;
  if (random.chance(config.gradient)) {
    across = random.uniform(-0.7, 0.7) / tile.width;
    down = random.uniform(-0.7, 0.7) / tile.height;
  }
  for (int y = 0; y < tile.height; ++y) {
    float* row = out.data() + static_cast<std::ptrdiff_t>(tile.y + y) * side + tile.x;
    for (int x = 0; x < tile.width; ++x) {
      const float value = std::clamp(row[x], 0.f, 255.f);
      const auto i = static_cast<std::size_t>(value);
      const float lit = curve[i] + (value - static_cast<float>(i)) * (curve[i + 1] - curve[i]);
      const double fall = 1 + across * (x - tile.width / 2.0) + down * (y - tile.height / 2.0);
      row[x] = lit * static_cast<float>(std::max(0.1, fall));
    }
  }
}

/// Covers part of a face with a flat or noisy rectangle.
void cover(std::span<float> out, int side, const ViewFace& face, Random& random) {
  const double area = random.uniform(0.1, 0.4) * face.width * face.height;
  const double aspect = log_about_one(random, std::log(3.0));
  const double w = std::min<double>(face.width, std::sqrt(area * aspect));
  const double h = std::min<double>(face.height, std::sqrt(area / aspect));
  const int x0 = static_cast<int>(face.x + random.uniform() * (face.width - w));
  const int y0 = static_cast<int>(face.y + random.uniform() * (face.height - h));
  const double level = random.uniform(0, 255), spread = random.chance(0.5) ? 50 : 0;
  for (int y = std::max(0, y0); y < std::min<int>(side, y0 + static_cast<int>(h)); ++y)
    for (int x = std::max(0, x0); x < std::min<int>(side, x0 + static_cast<int>(w)); ++x)
      out[static_cast<std::size_t>(y * side + x)] =
          static_cast<float>(level + random.uniform(-spread, spread));
}

/// Means over 3 x 3 pixels, `times` times.
void soften(std::span<float> out, int side, int times) {
  std::vector<float> row(static_cast<std::size_t>(side));
  const auto pass = [&](std::ptrdiff_t first, std::ptrdiff_t step) {
    float* at = out.data() + first;
    for (int i = 0; i < side; ++i) row[static_cast<std::size_t>(i)] = at[i * step];
    for (int i = 0; i < side; ++i) {
      const float before = row[static_cast<std::size_t>(std::max(0, i - 1))];
      const float after = row[static_cast<std::size_t>(std::min(side - 1, i + 1))];
      at[i * step] = (before + row[static_cast<std::size_t>(i)] + after) / 3;
    }
  };
  for (int t = 0; t < times; ++t) {
    for (int i = 0; i < side; ++i) pass(static_cast<std::ptrdiff_t>(i) * side, 1);
    for (int i = 0; i < side; ++i) pass(i, side);
  }
}

void add_noise(std::span<float> out, double strength, Random& random) {
  for (float& value : out) {
    // The sum of four uniforms, of 16 bits each, is near enough to a Gaussian.
    const std::uint64_t bits = random();
    double sum = -2;
    for (int i = 0; i < 64; i += 16) sum += static_cast<double>((bits >> i) & 0xffff) / 65536;
    value += static_cast<float>(strength * 1.73 * sum);
  }
}

/// The cosines of an 8-point DCT-II, orthonormal.
const std::array<std::array<float, 8>, 8>& cosines() {
  static const auto table = [] {
    std::array<std::array<float, 8>, 8> made;
    for (int k = 0; k < 8; ++k) {
      for (int i = 0; i < 8; ++i) {
        made[static_cast<std::size_t>(k)][static_cast<std::size_t>(i)] = static_cast<float>(
            (k == 0 ? std::sqrt(0.125) : 0.5) * std::cos((2 * i + 1) * k * std::numbers::pi / 16));
      }
    }
    return made;
  }();
  return table;
}

}  // namespace

void swap_sides(std::array<float, 10>& points) {
  for (const auto& [a, b] : {std::pair{0, 2}, std::pair{6, 8}}) {
    for (int i = 0; i < 2; ++i)
      std::swap(points[static_cast<std::size_t>(a + i)], points[static_cast<std::size_t>(b + i)]);
  }
}

void compress_blocks(std::span<float> picture, int width, int height, float step) {
  const auto& c = cosines();
  std::array<std::array<float, 8>, 8> block, half;
  for (int top = 0; top + 8 <= height; top += 8) {
    for (int left = 0; left + 8 <= width; left += 8) {
      float* at = picture.data() + static_cast<std::ptrdiff_t>(top) * width + left;
      for (std::size_t y = 0; y < 8; ++y) {
        for (std::size_t k = 0; k < 8; ++k) {
          float sum = 0;
          for (std::size_t x = 0; x < 8; ++x) sum += c[k][x] * at[y * width + x];
          half[y][k] = sum;
        }
      }
      for (std::size_t l = 0; l < 8; ++l) {
        for (std::size_t k = 0; k < 8; ++k) {
          float sum = 0;
          for (std::size_t y = 0; y < 8; ++y) sum += c[l][y] * half[y][k];
          // About as JPEG's table for luma grows.
          const float q = step * (1 + 0.6f * static_cast<float>(k + l));
          block[l][k] = std::round(sum / q) * q;
        }
      }
      for (std::size_t y = 0; y < 8; ++y) {
        for (std::size_t k = 0; k < 8; ++k) {
          float sum = 0;
          for (std::size_t l = 0; l < 8; ++l) sum += c[l][y] * block[l][k];
          half[y][k] = sum;
        }
      }
      for (std::size_t y = 0; y < 8; ++y) {
        for (std::size_t x = 0; x < 8; ++x) {
          float sum = 0;
          for (std::size_t k = 0; k < 8; ++k) sum += c[k][x] * half[y][k];
          at[y * width + x] = sum;
        }
      }
    }
  }
}

std::vector<ViewFace> make_view(const DetectionDataset& data, const ViewPhotos& photos, int side,
                                const DetectionAugmentConfig& config, Random random,
                                std::span<float> out) {
  std::vector<Tile> tiles{{0, 0, side, side}};
  if (photos.count == 4) {
    const int x = static_cast<int>(side * random.uniform(0.3, 0.7));
    const int y = static_cast<int>(side * random.uniform(0.3, 0.7));
    tiles = {{0, 0, x, y}, {x, 0, side - x, y}, {0, y, x, side - y}, {x, y, side - x, side - y}};
  }
  std::vector<ViewFace> faces;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const std::size_t photo = photos.photo[i];
    const Placement placement = place(data, photo, tiles[i], config, random);
    draw(data, photo, tiles[i], placement, side, out);
    light(out, side, tiles[i], config, random);
    place_faces(data.faces(photo), tiles[i], placement, faces);
  }
  for (const ViewFace& face : faces)
    if (face.sure && random.chance(config.erase)) cover(out, side, face, random);
  if (random.chance(config.blur)) soften(out, side, 1 + static_cast<int>(random.below(2)));
  if (random.chance(config.noise)) add_noise(out, 255 * random.uniform(0, 0.07), random);
  if (random.chance(config.compression))
    compress_blocks(out, side, side, static_cast<float>(log_uniform(random, 2, 20)));
  // A camera's pixels are whole numbers.
  for (float& value : out) value = std::round(std::clamp(value, 0.f, 255.f));
  return faces;
}

}  // namespace fer
