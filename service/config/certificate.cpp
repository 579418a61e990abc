#include "config/certificate.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace fer {
namespace {

struct Free {
  void operator()(BIO* file) const { BIO_free(file); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

std::string text_of(const ASN1_TIME* time) {
  const Owned<BIO> memory(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(memory.get(), time);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

/// Asks nobody for a passphrase: a service has no terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

std::string why_no_certificate(const std::filesystem::path& certificate,
                               const std::filesystem::path& key) {
  const Owned<BIO> certificate_file(BIO_new_file(certificate.c_str(), "r"));
  const Owned<X509> shown(
      certificate_file ? PEM_read_bio_X509(certificate_file.get(), nullptr, no_passphrase, nullptr)
                       : nullptr);
  if (!shown) return certificate.string() + " is no certificate in PEM format";
  if (X509_cmp_current_time(X509_get0_notAfter(shown.get())) < 0) {
    return certificate.string() + " has expired on " + text_of(X509_get0_notAfter(shown.get())) +
           "; make or ask for a new one";
  }
  if (X509_cmp_current_time(X509_get0_notBefore(shown.get())) > 0) {
    return certificate.string() + " is valid from " + text_of(X509_get0_notBefore(shown.get())) +
           " on; is this machine's clock right?";
  }
  const Owned<BIO> key_file(BIO_new_file(key.c_str(), "r"));
  const Owned<EVP_PKEY> secret(
      key_file ? PEM_read_bio_PrivateKey(key_file.get(), nullptr, no_passphrase, nullptr)
               : nullptr);
  if (!secret) return key.string() + " is no private key in PEM format without a passphrase";
  if (X509_check_private_key(shown.get(), secret.get()) != 1)
    return key.string() + " is the key of another certificate than " + certificate.string();
  return {};
}

}  // namespace fer
