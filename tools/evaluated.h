/* evaluated.h - what an evaluation came to, as a table or as JSON: right answers by category, or true and
 * missing statements by kind. */
#ifndef GRASP_CLI_EVALUATED_H
#define GRASP_CLI_EVALUATED_H

#include <grasp/eval.h>

#include "cli.h"

/* `whole`: all items were asked. */
void evaluated_put(cli *app, const gr_evaluation *e, bool whole);

#endif
