#include "element-metrics.h"

#include <exception>
#include <stdexcept>
#include <utility>

#ifdef HAVE_METRICS
#include "served-metrics.h"
#endif

namespace fer {
namespace {

constexpr const char* kUrlProperty = "metrics-url";

#ifdef HAVE_METRICS
std::shared_ptr<ServedMetrics> serve(GstElement* element, const std::string& address,
                                     const MetricLabels& wanted, std::function<Metrics()> collect) {
  gchar* name = gst_object_get_name(GST_OBJECT(element));
  MetricLabels labels{{"element", name}};
  g_free(name);
  for (const MetricLabel& label : wanted) {
    if (!label.second.empty()) labels.push_back(label);
  }
  return std::make_shared<ServedMetrics>(address, G_OBJECT_TYPE_NAME(element), std::move(labels),
                                         std::move(collect));
}

std::string url_of(const ServedMetrics& served) {
  return served.url();
}
#else
std::shared_ptr<ServedMetrics> serve(GstElement*, const std::string&, const MetricLabels&,
                                     std::function<Metrics()>) {
  throw std::runtime_error("gst-fer was built without prometheus-cpp or cpp-httplib");
}

std::string url_of(const ServedMetrics&) {
  return "";
}
#endif

}  // namespace

void ElementMetrics::start(GstElement* element, const std::string& address,
                           const MetricLabels& labels, std::function<Metrics()> collect) {
  if (address.empty()) return;
  try {
    served_ = serve(element, address, labels, std::move(collect));
  } catch (const std::exception& error) {
    GST_ELEMENT_WARNING(element, RESOURCE, SETTINGS,
                        ("The metrics are not served at %s: %s.", address.c_str(), error.what()),
                        (nullptr));
    return;
  }
  const std::string url = url_of(*served_);
  GST_INFO_OBJECT(element, "metrics are served at %s", url.c_str());
  url_.with([&](std::string& held) { held = url; });
  g_object_notify(G_OBJECT(element), kUrlProperty);
}

void ElementMetrics::stop(GstElement* element) {
  if (!served_) return;
  url_.with([](std::string& held) { held.clear(); });
  served_.reset();
  g_object_notify(G_OBJECT(element), kUrlProperty);
}

std::string ElementMetrics::url() const {
  return url_.copy();
}

void install_metrics_url(GObjectClass* klass, guint id) {
  g_object_class_install_property(
      klass, id,
      g_param_spec_string(kUrlProperty, "Metrics URL",
                          "Where the statistics are served now, with the port that was taken; "
                          "unset: nowhere",
                          nullptr, kReadOnly));
}

void get_metrics_url(const ElementMetrics& metrics, GValue* value) {
  const std::string url = metrics.url();
  g_value_set_string(value, url.empty() ? nullptr : url.c_str());
}

}  // namespace fer
