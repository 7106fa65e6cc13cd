/* mathx.h - elementary functions of our own, so that bits do not depend on the C library.
 *
 * f32 results are within 2 units in the last place (gr_erff: 2e-7 absolute); tests/base/test_mathx.c measures
 * it against long double references. */
#ifndef GR_BASE_MATHX_H
#define GR_BASE_MATHX_H

float gr_expf(float x); /* 0 below -103.98, +inf above 88.73 */
float gr_erff(float x);
float gr_erfcf(float x); /* 1 - erf(x), 2e-6 relative below 4, 0 above */
double gr_exp(double x); /* for normalisers and samplers: 1e-15 relative */
double gr_ln(double x);  /* x > 0; 1e-15 relative */
double gr_sin(double x); /* |x| < 1e6; 1e-15 absolute: rotary tables */
double gr_cos(double x);

#endif
