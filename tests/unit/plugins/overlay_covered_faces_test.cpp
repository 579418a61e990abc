#include "overlay-covered-faces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fer {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

FaceRecord face_at(double x, guint64 track) {
  FaceRecord face;
  face.track_id = track;
  face.x = x;
  face.y = 0.2;
  face.w = face.h = 0.2;
  return face;
}

FaceRecord labelled(FaceRecord face, bool unsure) {
  face.expression.emplace().label = "fear";
  face.expression->unsure = unsure;
  return face;
}

std::vector<double> places(const std::vector<FaceRecord>& faces) {
  std::vector<double> places;
  for (const FaceRecord& face : faces) places.push_back(face.x);
  return places;
}

TEST(CoveredFaces, AllAreCoveredOrNone) {
  const std::vector<FaceRecord> faces = {face_at(0.1, 1), labelled(face_at(0.5, 0), false)};
  EXPECT_THAT(places(CoveredFaces().update(faces, CoverFaces::kAll)), ElementsAre(0.1, 0.5));
  EXPECT_THAT(CoveredFaces().update(faces, CoverFaces::kNone), IsEmpty());
}

TEST(CoveredFaces, UnsureAreThoseWithoutALabelOrWithOneThatIsMarked) {
  const std::vector<FaceRecord> faces = {face_at(0, 1), labelled(face_at(0.3, 2), false),
                                         labelled(face_at(0.6, 3), true)};
  EXPECT_THAT(places(CoveredFaces().update(faces, CoverFaces::kUnsure)), ElementsAre(0, 0.6));
}

TEST(CoveredFaces, AFaceThatIsMissedStaysCoveredForAWhile) {
  CoveredFaces covered;
  covered.update({face_at(0.1, 1), face_at(0.5, 2)}, CoverFaces::kAll);
  for (int frame = 0; frame < CoveredFaces::kHoldFrames; ++frame) {
    EXPECT_THAT(places(covered.update({face_at(0.5, 2)}, CoverFaces::kAll)), ElementsAre(0.5, 0.1))
        << frame;
  }
  EXPECT_THAT(covered.update({face_at(0.5, 2)}, CoverFaces::kAll), SizeIs(1));
}

TEST(CoveredFaces, AFaceThatIsSeenAgainIsHeldNoLonger) {
  // By its track, wherever that went; without one by its place.
  for (const auto& [track, x] : {std::pair<guint64, double>(7, 0.7), {0, 0.12}}) {
    CoveredFaces covered;
    covered.update({face_at(0.1, track)}, CoverFaces::kAll);
    covered.update({}, CoverFaces::kAll);
    EXPECT_THAT(places(covered.update({face_at(x, track)}, CoverFaces::kAll)), ElementsAre(x));
  }
}

TEST(CoveredFaces, AFaceThatBecomesSureIsUncovered) {
  CoveredFaces covered;
  covered.update({face_at(0.1, 1)}, CoverFaces::kUnsure);
  EXPECT_THAT(covered.update({labelled(face_at(0.1, 1), false)}, CoverFaces::kUnsure), IsEmpty());
  EXPECT_THAT(covered.update({}, CoverFaces::kUnsure), IsEmpty());
}

TEST(CoveredFaces, NothingIsHeldAfterAReset) {
  CoveredFaces covered;
  covered.update({face_at(0.1, 1)}, CoverFaces::kAll);
  covered.reset();
  EXPECT_THAT(covered.update({}, CoverFaces::kAll), IsEmpty());
}

}  // namespace
}  // namespace fer
