#include "vitrine_kernels.h"
