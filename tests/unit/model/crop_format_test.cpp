#include "model/crop_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_of.h"

namespace fer {
namespace {

using test::error_of;
using testing::StrEq;

TEST(CropFormat, CountsAByteForEachValueOfACrop) {
  EXPECT_EQ((CropFormat{48, 1, "fer"}.bytes()), 48u * 48);
  EXPECT_EQ((CropFormat{112, 3, "arcface"}.bytes()), 3u * 112 * 112);
}

TEST(CropFormat, DiffersBySizeColourAndTemplate) {
  const CropFormat format{48, 1, "fer"};
  EXPECT_EQ(format, (CropFormat{48, 1, "fer"}));
  EXPECT_NE(format, (CropFormat{48, 3, "fer"}));
  EXPECT_NE(format, (CropFormat{64, 1, "fer"}));
  EXPECT_NE(format, (CropFormat{48, 1, "arcface"}));
}

TEST(CropFormat, NamesBothSidesWhereTheyDiffer) {
  const CropFormat grey{48, 1, "fer"}, colour{112, 3, "arcface"};
  EXPECT_NO_THROW(require_same(grey, "a.fer", grey, "b.packed"));
  EXPECT_THAT(error_of([&] { require_same(grey, "a.fer", colour, "b.packed"); }),
              StrEq("b.packed: expected grey crops of 48 x 48 px in the template \"fer\", as in "
                    "a.fer, found RGB crops of 112 x 112 px in the template \"arcface\""));
}

}  // namespace
}  // namespace fer
