// Options that name a dataset and how its faces are cut; shared by pack, train and eval.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <string>

#include "commands/deprecated_option.h"
#include "data/data_source.h"
#include "program/choices.h"
#include "program/finite_range.h"

namespace fer {

struct DataOptions {
  std::filesystem::path data;
  AlignMode align = AlignMode::kAuto;
  int size = 48;
  bool colour = false;
  std::string align_template = "fer";
  double max_unreadable = 5;  ///< Percent.
  double video_every = 1;
  int video_max = 20;

  /// --data and --align; with `shape` also what the network's input fixes elsewhere. Returns
  /// --data.
  CLI::Option* add_to(CLI::App& command, bool shape = true) {
    CLI::Option* data_option =
        command
            .add_option(
                "--data", data,
                "A packed dataset, a CSV with header (image, label or vote columns, split), a "
                "folder with one folder a class, RAF-DB, AffectNet, FER2013 or FER+ as they "
                "come, or, for faces without labels, a video")
            ->required();
    add_align(command);
    if (shape) add_shape(command);
    return data_option;
  }

  /// --align.
  void add_align(CLI::App& command) {
    const std::map<std::string, AlignMode> modes{
        {"auto", AlignMode::kAuto}, {"always", AlignMode::kAlways}, {"never", AlignMode::kNever}};
    command
        .add_option("--align", align,
                    "Find and align the face of each image: auto (where a detector with landmarks "
                    "is at hand), always, never. Packed datasets stay as they are")
        ->transform(choices(modes))
        ->default_str("auto");
  }

  /// --size, --colour and --template. Returns --size.
  CLI::Option* add_shape(CLI::App& command) {
    CLI::Option* size_option = command.add_option("--size", size, "Side of the crops in pixels")
                                   ->check(CLI::Range(16, 512))
                                   ->capture_default_str();
    command.add_flag("--colour,--color", colour, "RGB crops instead of grey ones");
    command.add_option("--template", align_template, "Where landmarks come to lie: fer or arcface")
        ->check(CLI::IsMember({"fer", "arcface"}))
        ->capture_default_str();
    return size_option;
  }

  void add_max_unreadable(CLI::App& command) {
    command
        .add_option("--max-unreadable", max_unreadable,
                    "Percent of the images that may be unreadable; more is an error")
        ->check(finite_range(0, 100))
        ->capture_default_str();
  }

  void add_video(CLI::App& command) {
    command
        .add_option("--video-every", video_every,
                    "Of videos: seconds between two faces taken of one track")
        ->check(finite_range(0, 86400))
        ->capture_default_str();
    const CLI::Range range(1, 1000000);
    command.add_option("--video-max", video_max, "Of videos: faces taken of one track at most")
        ->check(range)
        ->capture_default_str();
    add_deprecated(command, "--video-most", video_max, "--video-max")->check(range);
  }

  CropFormat crop_format() const { return {size, colour ? 3 : 1, align_template}; }

  ReadOptions read_options() const {
    return {.split = {},
            .max_unreadable = max_unreadable / 100,
            .video_every = video_every,
            .video_max = video_max};
  }
};

}  // namespace fer
