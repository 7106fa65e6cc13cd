/* session.h - the inside of a gr_session: a sequence of rows, and its text. */
#ifndef GR_ENGINE_SESSION_H
#define GR_ENGINE_SESSION_H

#include "engine/dump.h"
#include "engine/request.h"
#include "text/stream.h"

struct gr_session {
    gr_engine *engine;
    gr_sequence *sequence;
    gr_stream stream;
    gr_buf text;
    int n_collected; /* tokens whose text was taken */
    bool answering;  /* an answer was started whose text is not over */
    gr_finish_reason finish;
    gr_dump *dump; /* of the answer under way; borrowed */
    gr_session_stats stats;
    double started_ms; /* of the phase that runs */
};

/* Takes the text of new tokens; ends the sequence at a stop string. */
gr_status gr_session_collect(gr_session *s, gr_error *err);
/* After a step that failed: an answer that the step ended is over, without a reason. */
void gr_session_drop(gr_session *s);

/* An answer that was found otherwise than token by token; `began` is when its first step did. */
void gr_session_set_answer(gr_session *s, const char *text, const gr_sampled *tokens, int n, double began);

#endif
