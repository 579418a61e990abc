// The commands that need LibTorch: the program `fer-learn` has them, and `fer` hands them on.
#pragma once

#include <string>

namespace fer {

struct LearningCommand {
  const char* name;
  const char* about;  ///< What it does, for --help.
};

inline constexpr LearningCommand kLearningCommands[] = {
    {"train",
     "Train an expression model on labelled faces, or on few labels and many unlabelled "
     "faces (--labeled); stop and repeat the command to go on."},
    {"pretrain",
     "Learn a start for `fer train --init` from faces without labels; stop and repeat the "
     "command to go on."},
    {"eval",
     "Measure a model on labelled faces: accuracy, recall of each class, calibration, "
     "time, each with its interval."},
    {"sweep",
     "Run an experiment's grid of methods, labels or orders, and seeds; what is done is "
     "skipped, and stopped trainings go on where they were."},
    {"report", "Draw training runs and learners as one HTML page: curves, thresholds, decisions."},
    {"pack", "Decode, align and resize a dataset once into one file that `train` and `eval` map."},
    {"adapt", "Adapt a model to faces that nobody labelled, as ferlearn does to streams."},
    {"replay",
     "Make the labelled faces that a model brings for learning from streams: activations "
     "of its lower half, no pictures."},
    {"average",
     "Write the mean of the weights of models that were trained on from the same start (a "
     "model soup: often better than each, at the cost of one)."},
    {"calibrate",
     "Make a model's probabilities believable: fit a temperature, and a bias per class "
     "where that pays, on faces that it was not trained on."},
    {"shrink", "Write a model with its kernels in bfloat16, at half the size, for shipping."},
    {"export",
     "Write an expression model or a face detector for other programs (ONNX Runtime, "
     "OpenVINO, OpenCV and their kin) and the detector for our own elements."},
    {"import",
     "Turn a published face recognition network into a start for fer train --init: it "
     "knows faces before it learns expressions."},
    {"teach",
     "Label faces by what teachers say of them: a packed dataset of pseudo-labels to join "
     "with a labelled one (fer pack --join) and train on (fer train --data)."},
    {"learn-service",
     "Learn from the evidence of many machines that a broker brings (ferlearn role=collect), and "
     "publish what may serve."},
    {"info", "Say what a model, a packed dataset or a run's checkpoint holds."},
};

/// Null where it is none of them.
inline const LearningCommand* find_learning_command(const std::string& name) {
  for (const LearningCommand& command : kLearningCommands)
    if (name == command.name) return &command;
  return nullptr;
}

}  // namespace fer
