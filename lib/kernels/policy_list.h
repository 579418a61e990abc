// A list of policies that one can be chosen from at run time, without virtual functions, so that
// the choice is plain bytes that processor and device share.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>

#include "util/host_device.h"

namespace fer::kernels {

/// Names a policy's type as a value.
template <class P>
struct PolicyType {
  using Policy = P;
};

/// Room for one of several plain structs. Which one it holds, its owner knows.
template <class... Ts>
struct OneOf {
  static_assert((std::is_trivially_copyable_v<Ts> && ...), "a device copies it byte by byte");

  static constexpr std::size_t largest() {
    std::size_t bytes = 1;
    ((bytes = sizeof(Ts) > bytes ? sizeof(Ts) : bytes), ...);
    return bytes;
  }
  alignas(Ts...) unsigned char bytes[largest()] = {};

  template <class T>
  FER_HOST_DEVICE T& as() {
    return *reinterpret_cast<T*>(bytes);
  }
  template <class T>
  FER_HOST_DEVICE const T& as() const {
    return *reinterpret_cast<const T*>(bytes);
  }
  /// From now on it holds this one.
  template <class T>
  FER_HOST_DEVICE void set(const T& value) {
    new (bytes) T(value);
  }
};

/// The policies of one kind. A policy is a struct with kName, Settings, State and its formulas;
/// what runs over all policies is made of this list alone.
template <class... Ps>
struct PolicyList {
  static constexpr int kCount = sizeof...(Ps);
  using Settings = OneOf<typename Ps::Settings...>;
  using State = OneOf<typename Ps::State...>;

  /// Where a policy stands in the list.
  template <class P>
  static constexpr int index_of() {
    static_assert((std::is_same_v<P, Ps> || ...), "the policy is not in the list");
    int index = 0;
    (void)((std::is_same_v<P, Ps> || (++index, false)) || ...);
    return index;
  }

  /// Calls `body(PolicyType<P>{})` for the policy at `index`, in [0, kCount). All bodies return the
  /// same type.
  template <class Body>
  FER_HOST_DEVICE static decltype(auto) visit(int index, Body&& body) {
    return visit_from<Body, Ps...>(index, body);
  }

  /// Calls it for each policy, in the list's order.
  template <class Body>
  static void for_each(Body&& body) {
    (body(PolicyType<Ps>{}), ...);
  }

 private:
  template <class Body, class First, class... Rest>
  FER_HOST_DEVICE static decltype(auto) visit_from(int index, Body& body) {
    if constexpr (sizeof...(Rest) > 0) {
      if (index != 0) return visit_from<Body, Rest...>(index - 1, body);
    }
    return body(PolicyType<First>{});
  }
};

/// A policy of a list, chosen at run time, with its settings. Trivially copyable.
template <class List>
struct PolicyChoice {
  int index = 0;  ///< In the list.
  typename List::Settings settings;

  template <class P>
  static PolicyChoice of(const typename P::Settings& settings = {}) {
    PolicyChoice choice;
    choice.index = List::template index_of<P>();
    choice.settings.set(settings);
    return choice;
  }

  template <class P>
  FER_HOST_DEVICE bool is() const {
    return index == List::template index_of<P>();
  }

  /// Calls `body(PolicyType<P>{}, settings)` for the chosen policy.
  template <class Body>
  FER_HOST_DEVICE decltype(auto) visit(Body&& body) const {
    return List::visit(index, [&](auto type) -> decltype(auto) {
      return body(type, settings.template as<typename decltype(type)::Policy::Settings>());
    });
  }
};

}  // namespace fer::kernels
