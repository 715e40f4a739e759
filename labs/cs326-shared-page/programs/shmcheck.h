// What shmtests and shmtests2 have in common: tests that both tasks need.
// Include user/user.h first.

#include "user/check.h"

// Waits until nobody has the memory any more: orphans are freed by init,
// which may need a moment.
static inline void
waitfree(const struct sharing *s)
{
  for(int t = 0; t < 50; t++){
    int value = *s->map();
    s->unmap();
    if(value == 0)
      return;
    sleep(1);
  }
  CHECK(!"nobody uses it, but it was not freed");
}

// --- many at the same time ---

static inline void
storming(const struct sharing *s, int me)
{
  for(int round = 1; round <= 12; round++){
    sleep(1);                   // all wake up at one tick
    volatile int *p = s->map();
    p[me] = round;
    if(round % 2){
      if(forked() == 0){
        CHECK(p[me] == round);
        p[16 + me] = round;
        if(round % 4 == 1)
          s->unmap();
        exit(0);
      }
      waitok();
      CHECK(p[16 + me] == round);
    }
    CHECK(p[me] == round);
    s->unmap();
  }
}

// Processes map, fork, exit and unmap all at the same time, on all harts.
static inline void
stormed(const struct sharing *s, int processes)
{
  for(int i = 0; i < processes; i++){
    if(forked() == 0){
      storming(s, i);
      exit(0);
    }
  }
  for(int i = 0; i < processes; i++)
    waitok();
  waitfree(s);
}
