// Marks what a shared library of ours offers; everything else is hidden.
#pragma once

#define FER_API __attribute__((visibility("default")))
