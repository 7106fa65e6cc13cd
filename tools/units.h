/* units.h - numbers as people read them. */
#ifndef GRASP_CLI_UNITS_H
#define GRASP_CLI_UNITS_H

#include <stdint.h>

/* Three digits, decimal units: "812 B", "3.07 GB". */
void cli_bytes_text(char out[32], double bytes);
/* The same of things: "812", "1.53 G"; `out` as above. */
void cli_count_text(char out[32], double count);

#endif
