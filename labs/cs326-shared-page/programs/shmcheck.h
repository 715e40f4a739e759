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

// --- killed wherever they are ---

// Maps, forks and unmaps until it is killed. It kills its children: some in
// their fault beside all memory, or before it, or when that has killed them.
// A child that has lost its parent ends by itself.
static inline void
restless(const struct sharing *s)
{
  for(int round = 0; ; round++){
    volatile int *p = s->map();
    int pid = forked();
    if(pid == 0){
      p[1]++;
      if(round % 4 == 0)
        *(volatile int*)0x2000000000 = 1;
      for(int i = 0; i < 100000; i++)
        p[2]++;
      exit(0);
    }
    if(round % 2)
      sleep(1);
    kill(pid);
    wait(0);
    CHECK(*p == 55);
    s->unmap();
  }
}

// Processes are killed in the middle of mmap, munmap, fork, exit or a fault,
// with children that have the memory, too. What was there is still there, and
// when all have gone nobody has it.
static inline void
killedanywhere(const struct sharing *s, int processes)
{
  volatile int *p = s->map();

  *p = 55;
  for(int round = 0; round < 6; round++){
    int pids[8];
    for(int i = 0; i < processes; i++){
      pids[i] = forked();
      if(pids[i] == 0){
        s->unmap();             // fork's: a second map may be refused
        restless(s);
      }
    }
    sleep(1 + round % 3);
    for(int i = 0; i < processes; i++)
      CHECK(kill(pids[i]) == 0);
    for(int i = 0; i < processes; i++)
      CHECK(waitstatus() == -1);
    churn();
    CHECK(*p == 55);
  }
  s->unmap();
  waitfree(s);
}
