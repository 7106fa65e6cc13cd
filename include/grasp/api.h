/* api.h - what every public declaration starts with. */
#ifndef GRASP_API_H
#define GRASP_API_H

#if defined(__GNUC__)
#define GR_API              __attribute__((visibility("default")))
#define GR_PRINTF(fmt, var) __attribute__((format(printf, fmt, var)))
#else
#define GR_API
#define GR_PRINTF(fmt, var)
#endif

#endif
