#include "config/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>

#include "scoped.h"

namespace fer {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

constexpr long kDay = 24 * 3600;

class CertificateTest : public testing::Test {
 protected:
  /// Writes NAME.pem and NAME.key, valid from and to so many seconds from now.
  void make(const std::string& name, long from, long to) const {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* made = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(made), from);
    X509_gmtime_adj(X509_getm_notAfter(made), to);
    X509_set_pubkey(made, key);
    X509_sign(made, key, EVP_sha256());
    std::FILE* file = std::fopen(path(name + ".pem").c_str(), "w");
    PEM_write_X509(file, made);
    std::fclose(file);
    file = std::fopen(path(name + ".key").c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(made);
    EVP_PKEY_free(key);
  }
  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }

  const test::ScopedFolder folder_;
};

TEST_F(CertificateTest, OneThatIsValidWithItsKeyIsGood) {
  make("good", -kDay, kDay);
  EXPECT_EQ(why_no_certificate(path("good.pem"), path("good.key")), "");
}

TEST_F(CertificateTest, OneThatHasExpiredOrIsNotValidYetIsRefused) {
  make("old", -2 * kDay, -kDay);
  make("early", kDay, 2 * kDay);
  EXPECT_THAT(why_no_certificate(path("old.pem"), path("old.key")),
              testing::AllOf(HasSubstr("old.pem has expired on "), EndsWith("a new one")));
  EXPECT_THAT(why_no_certificate(path("early.pem"), path("early.key")),
              HasSubstr("early.pem is valid from "));
}

TEST_F(CertificateTest, AKeyOfAnotherCertificateIsRefused) {
  make("one", -kDay, kDay);
  make("other", -kDay, kDay);
  EXPECT_THAT(why_no_certificate(path("one.pem"), path("other.key")),
              HasSubstr("other.key is the key of another certificate than "));
}

TEST_F(CertificateTest, FilesThatAreNoneOfThatAreNamed) {
  make("good", -kDay, kDay);
  const auto rubbish = folder_.write("rubbish.pem", "rubbish");
  EXPECT_THAT(why_no_certificate(rubbish, path("good.key")),
              HasSubstr("rubbish.pem is no certificate in PEM format"));
  EXPECT_THAT(why_no_certificate(path("good.pem"), rubbish),
              HasSubstr("rubbish.pem is no private key in PEM format"));
}

}  // namespace
}  // namespace fer
