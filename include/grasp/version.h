/* version.h - which grasp this is. */
#ifndef GRASP_VERSION_H
#define GRASP_VERSION_H

#include "grasp/api.h"

#define GR_VERSION_MAJOR 0
#define GR_VERSION_MINOR 1
#define GR_VERSION_PATCH 0

/* "0.1.0", of the library that is loaded. */
GR_API const char *gr_version(void);

#endif
