#include "learn/data/face_views.h"

#include <torch/torch.h>

#include "util/random.h"

namespace fer {

kernels::Augment augment_into(const torch::Tensor& images, ViewKind kind, const ViewSettings& look,
                              const ViewSeed& draw) {
  kernels::Augment views;
  views.count = static_cast<int>(images.size(0));
  views.channels = static_cast<int>(images.size(1));
  views.side = static_cast<int>(images.size(2));
  views.seed = Random(draw.seed, draw.stream)();
  views.position = draw.position;
  views.mean = look.stats.mean;
  views.stddev = look.stats.stddev;
  const bool strong = kind == ViewKind::kStrong;
  kernels::Augment::View& view = strong ? views.strong : views.weak;
  view.config = strong ? look.strong : look.weak;
  view.out = {images.data_ptr<float>(),
              kernels::Batch::kFp32,
              kernels::Batch::kNchw,
              views.channels,
              views.side,
              views.side};
  return views;
}

void make_views(kernels::Augment views, torch::Device device, const kernels::KernelTable* table) {
  if (!table) return kernels::augment(views);
  kernels::check(views);
  torch::Tensor workspace;
  launch_on(device, *table, "augment", [&] {
    if (const std::size_t bytes = table->augment_workspace(views)) {
      workspace = torch::empty({static_cast<std::int64_t>(bytes)},
                               torch::TensorOptions().device(device).dtype(torch::kByte));
      views.workspace = workspace.data_ptr();
    }
    return table->augment(views, nullptr);
  });
}

torch::Tensor FreshViews::of(ViewKind kind, const std::vector<FaceRef>& faces,
                             const ViewSeed& draw) const {
  const PackedInfo& info = faces.front().data->info();
  torch::Tensor images = torch::empty({static_cast<std::int64_t>(faces.size()), info.crops.channels,
                                       info.crops.side, info.crops.side},
                                      memory_);
  // Face by face, since they may lie in several files.
  for (std::size_t i = 0; i < faces.size(); ++i) {
    ViewSeed own = draw;
    own.position += i;
    kernels::Augment view =
        augment_into(images.narrow(0, static_cast<std::int64_t>(i), 1), kind, look_, own);
    view.crops = faces[i].crop().data();
    kernels::augment(view);
  }
  return images;
}

}  // namespace fer
