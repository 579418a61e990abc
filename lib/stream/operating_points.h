// Operating points of a model that was adapted. Plain numbers, free of LibTorch.
#pragma once

#include <vector>

namespace fer {

/// What a network said of a labelled face.
struct LabelledAnswer {
  int predicted = 0;
  float probability = 0;  ///< Of the predicted class.
  bool right = false;
};

/// The operating points of a model that was adapted from one with these `points`
/// (ModelInfo::operating_points), by what `source` and `adapted` said of the same faces.
///
/// A point promises a precision. Adaptation changes how sure a model is, so that the same
/// probability promises something else. A class keeps its point where the adapted model's
/// predictions from there on are as precise as the source's were, by the lower end of the source's
/// Wilson interval of one standard deviation. Else the point rises to the least probability from
/// which they are; infinity where there is none. It never falls, and stays as it is where either
/// predicted the class for fewer than 10 faces: that proves nothing.
std::vector<float> adapted_operating_points(const std::vector<float>& points,
                                            const std::vector<LabelledAnswer>& source,
                                            const std::vector<LabelledAnswer>& adapted);

}  // namespace fer
