#include "page/access.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

Asked get(const std::string& path = "/api/state") {
  Asked asked;
  asked.method = "GET";
  asked.path = path;
  asked.host = "127.0.0.1:8787";
  return asked;
}

Asked post() {
  Asked asked = get("/api/slots/house/rollback");
  asked.method = "POST";
  asked.origin = "http://127.0.0.1:8787";
  asked.fetch_site = "same-origin";
  asked.ours = std::string("1");  // An assigned literal makes GCC 12 warn of overlaps.
  return asked;
}

int status(const Access& access, const Asked& asked) {
  const auto refusal = access.refuse(asked);
  return refusal ? refusal->status : 200;
}

TEST(Access, OurOwnPageMayAskAndChange) {
  const Access access({}, "");
  EXPECT_EQ(status(access, get()), 200);
  EXPECT_EQ(status(access, post()), 200);
}

TEST(Access, ForeignNamesThatLeadHereAreRefused) {
  const Access access({}, "");
  for (const char* host : {"evil.example", "evil.example:8787", "", "127.0.0.1.evil.example"}) {
    Asked asked = get();
    asked.host = host;
    EXPECT_EQ(status(access, asked), 421) << host;
  }
  for (const char* host : {"localhost:8787", "[::1]:8787", "LOCALHOST", "192.0.2.3:1"}) {
    Asked asked = get();
    asked.host = host;
    EXPECT_EQ(status(access, asked), 200) << host;
  }
  PageConfig named;
  named.hosts = {"cameras.example"};
  Asked asked = get();
  asked.host = "cameras.example:8787";
  EXPECT_EQ(status(Access(named, ""), asked), 200);
}

TEST(Access, OtherSitesMayNeitherChangeNorEmbed) {
  const Access access({}, "");
  Asked other_origin = post();
  other_origin.origin = "https://evil.example";
  EXPECT_EQ(status(access, other_origin), 403);
  Asked form = post();
  form.ours.clear();
  EXPECT_EQ(status(access, form), 403);
  Asked null_origin = post();
  null_origin.origin = "null";
  EXPECT_EQ(status(access, null_origin), 403);
  Asked image = get("/api/cameras/door/mjpeg");
  image.fetch_site = "cross-site";
  image.fetch_mode = "no-cors";
  EXPECT_EQ(status(access, image), 403);
  Asked link = get("/");
  link.fetch_site = "cross-site";
  link.fetch_mode = "navigate";
  EXPECT_EQ(status(access, link), 200);
  link.path = "/api/state";
  EXPECT_EQ(status(access, link), 403);
}

TEST(Access, WithATokenNothingIsToldWithoutIt) {
  PageConfig page;
  const Access access(page, "0123456789abcdef");
  EXPECT_EQ(status(access, get()), 401);
  EXPECT_EQ(status(access, post()), 401);
  EXPECT_EQ(status(access, get("/healthz")), 200);
  EXPECT_EQ(status(access, get("/login")), 200);
  Asked asked = get();
  asked.authorization = "Bearer 0123456789abcdef";
  EXPECT_EQ(status(access, asked), 200);
  asked.authorization = "Bearer 0123456789abcdeX";
  EXPECT_EQ(status(access, asked), 401);
  asked.authorization.clear();
  asked.cookie = "other=1; fer_token=0123456789abcdef";
  EXPECT_EQ(status(access, asked), 200);
  asked.cookie = "fer_token=0123456789abcde";
  EXPECT_EQ(status(access, asked), 401);
}

TEST(Access, TheCookieIsForThisServerAndNoScript) {
  PageConfig page;
  EXPECT_EQ(Access(page, "abc").cookie(), "fer_token=abc; Path=/; HttpOnly; SameSite=Strict");
  page.certificate = "c.pem";
  EXPECT_EQ(Access(page, "abc").cookie(),
            "fer_token=abc; Path=/; HttpOnly; SameSite=Strict; Secure");
}

}  // namespace
}  // namespace fer
