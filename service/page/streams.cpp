#include "page/streams.h"

#include <chrono>
#include <thread>
#include <utility>

#include "util/elapsed.h"

namespace fer {
namespace {

constexpr std::chrono::milliseconds kLook(250);
/// Between two looks at all cameras of send_pictures().
constexpr std::chrono::milliseconds kBetween(40);
/// A sign of life where there is no news, by which a client that has gone is noticed.
constexpr double kAlive = 5;
constexpr char kBoundary[] = "fer-picture";

bool write(httplib::DataSink& sink, const std::string& bytes) {
  return sink.write(bytes.data(), bytes.size());
}

}  // namespace

std::shared_ptr<void> StreamLimit::enter() {
  if (++now_ > most_) {
    --now_;
    return nullptr;
  }
  return {this, [](void* limit) { --static_cast<StreamLimit*>(limit)->now_; }};
}

void send_mjpeg(httplib::Response& response, const std::shared_ptr<Camera>& camera,
                std::shared_ptr<void> place, const Stopping& stopping) {
  struct Stream {
    LatestPicture::Viewer viewer;
    std::uint64_t seen = 0;
    std::shared_ptr<void> place;
  };
  auto stream = std::make_shared<Stream>(
      Stream{LatestPicture::Viewer(camera->picture()), 0, std::move(place)});
  response.set_content_provider(
      std::string("multipart/x-mixed-replace; boundary=") + kBoundary,
      [stream, stopping](std::size_t, httplib::DataSink& sink) {
        const auto next = stream->viewer->next(stream->seen, kLook);
        if (next.closed || stopping()) return false;
        if (!next.jpeg) return true;
        stream->seen = next.number;
        return write(sink, std::string("--") + kBoundary +
                               "\r\nContent-Type: image/jpeg\r\nContent-Length: " +
                               std::to_string(next.jpeg->size()) + "\r\n\r\n") &&
               write(sink, *next.jpeg) && write(sink, "\r\n");
      });
}

void send_pictures(httplib::Response& response, const std::vector<std::shared_ptr<Camera>>& cameras,
                   std::shared_ptr<void> place, const Stopping& stopping) {
  struct One {
    std::string name;
    LatestPicture::Viewer viewer;
    std::uint64_t seen = 0;
  };
  struct Stream {
    std::vector<One> cameras;
    std::shared_ptr<void> place;
  };
  auto stream = std::make_shared<Stream>();
  stream->place = std::move(place);
  for (const auto& camera : cameras)
    stream->cameras.push_back({camera->config().name, LatestPicture::Viewer(camera->picture()), 0});
  response.set_content_provider(
      "application/octet-stream", [stream, stopping](std::size_t, httplib::DataSink& sink) {
        bool any = false, all_closed = true;
        for (One& one : stream->cameras) {
          const auto next = one.viewer->next(one.seen, std::chrono::milliseconds(0));
          all_closed = all_closed && next.closed;
          if (!next.jpeg) continue;
          any = true;
          one.seen = next.number;
          if (!write(sink, one.name + " " + std::to_string(next.jpeg->size()) + "\n") ||
              !write(sink, *next.jpeg))
            return false;
        }
        if (stopping() || all_closed) return false;
        if (!any) std::this_thread::sleep_for(kBetween);
        return true;
      });
}

void send_events(httplib::Response& response, std::shared_ptr<EventHub::Subscriber> events,
                 std::string first, std::shared_ptr<void> place, const Stopping& stopping) {
  struct Stream {
    std::shared_ptr<EventHub::Subscriber> events;
    std::string first;
    std::shared_ptr<void> place;
    SteadyClock::time_point written = SteadyClock::now();
  };
  auto stream = std::make_shared<Stream>();
  stream->events = std::move(events);
  stream->first = std::move(first);
  stream->place = std::move(place);
  response.set_content_provider("text/event-stream",
                                [stream, stopping](std::size_t, httplib::DataSink& sink) {
                                  if (stopping()) return false;
                                  std::string text = std::exchange(stream->first, {});
                                  if (text.empty()) {
                                    const auto event = stream->events->next(kLook);
                                    if (event)
                                      text = *event;
                                    else if (seconds_since(stream->written) > kAlive)
                                      text = ": alive\n\n";
                                  }
                                  if (text.empty()) return true;
                                  stream->written = SteadyClock::now();
                                  return write(sink, text);
                                });
}

}  // namespace fer
