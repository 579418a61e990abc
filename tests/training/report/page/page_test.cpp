#include "report/page/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "error_of.h"
#include "scoped.h"
#include "training/page_data.h"

namespace fer {
namespace {

using test::error_of;
using test::PageData;
using test::ScopedFolder;
using test::ScopedVariable;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Page, NoNameEndsAScriptOrFetchesAnything) {
  Page page("</title><script>alert(1)</script>");
  page.heading("</script><script>alert(2)</script>");
  page.chart({"<!--<script>", "x"}, {{"</SCRIPT >", {{0, 1}}}});
  const std::string html = page.html();
  for (const char* injected : {"<script>alert", "</SCRIPT", "<!--"})
    EXPECT_THAT(html, Not(HasSubstr(injected)));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  const PageData data(html);
  EXPECT_EQ(data.texts("heading").at(0), "</script><script>alert(2)</script>");
  EXPECT_EQ(data.at("<!--<script>", "</SCRIPT >", 0), 1);
}

TEST(Page, NamesThatAreNoUtf8AreShownAsFarAsTheyCanBe) {
  Page page("caf\xe9");
  page.text("caf\xe9");
  EXPECT_EQ(PageData(page.html()).texts("text").at(0), "caf\xef\xbf\xbd");
}

TEST(Page, ChartsHaveGapsWhereThereIsNoNumberAndAreLeftOutWithoutAny) {
  Page page("page");
  page.chart({"some", "x"}, {{"a", {{0, 0.5}, {1, NAN}, {2, INFINITY}}}});
  page.chart({"none", "x"}, {{"a", {{0, NAN}}}, {"b", {}}});
  const PageData data(page.html());
  EXPECT_EQ(data.block("chart", "some")["series"][0]["points"],
            nlohmann::json::parse("[[0.0,0.5],[1.0,null],[2.0,null]]"));
  EXPECT_TRUE(data.block("chart", "none").is_null());
}

TEST(Page, NamesThePackageWhereTheLibraryIsMissing) {
  const ScopedFolder folder;
  const ScopedVariable named("FER_CHART_JS", (folder.path() / "gone.js").string());
  EXPECT_THAT(error_of([] { require_chart_library(); }),
              AllOf(HasSubstr("gone.js"), HasSubstr("install libjs-chart.js")));
  EXPECT_FALSE(has_chart_library());
  folder.write("gone.js", "</script><script>");
  EXPECT_THAT(error_of([] { require_chart_library(); }), HasSubstr("expected Chart.js"));
}

}  // namespace
}  // namespace fer
