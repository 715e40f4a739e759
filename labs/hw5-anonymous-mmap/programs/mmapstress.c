// mmapstress [name ...]: many processes that have regions, fault, fork, end
// and are killed at the same time, and calls for which there is no memory.
// Each test runs in a child; `mmapstress` alone runs all of them.

#include "kernel/types.h"
#include "kernel/param.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "user/user.h"

#include "user/mmapcheck.h"

// --- killed in a fault ---

enum { KILLS = 24, STEP = 8, TOUCHED = KILLS * STEP };

// Faults until it is killed, and counts in the memory that it shares.
static void
faulting(volatile int *count, char *shared)
{
  for(int i = 0; i < 100 * TOUCHED; i++){
    static char *own;
    int page = i % TOUCHED;

    if(page == 0){
      if(own)
        CHECK(munmap(own, TOUCHED * PAGE) == 0);
      own = map_or_fail(TOUCHED * PAGE, MAP_PRIVATE);
    }
    own[page * PAGE] = 1;
    if(i < TOUCHED)
      shared[page * PAGE + 100] = 1;
    *count = i;
  }
}

// Kills a child after so many pages; another child is in the family all the
// while, and keeps using it.
static void
killround(int pages)
{
  char *shared = map_or_fail(TOUCHED * PAGE, MAP_SHARED);
  volatile int *count = (int*)shared;
  int go[2];
  char c;

  *count = -1;
  CHECK(pipe(go) == 0);
  if(forked() == 0){
    close(go[1]);
    if(read(go[0], &c, 1) == 1 && shared[100] == 1)
      *count = 43;
    exit(0);
  }
  int pid = forked();
  if(pid == 0){
    faulting(count, shared);
    exit(0);
  }
  for(int i = 0; *count < pages && i < 100000000; i++)
    ;
  CHECK(kill(pid) == 0);
  CHECK(waitstatus() == -1);    // the other child waits for us
  churn();
  CHECK(write(go[1], "g", 1) == 1);
  waitok();
  CHECK(*count == 43);
  CHECK(munmap(shared, TOUCHED * PAGE) == 0);
  close(go[0]);
  close(go[1]);
}

static void
killinfault(void)
{
  for(int i = 0; i < KILLS; i++)
    killround(i * STEP);
}

// --- a family lets go in every order ---

static char *last;              // this process's region

static volatile int*
mapshared(void)
{
  last = map_or_fail(PAGE, MAP_SHARED);
  return (int*)last;
}

static void unmapshared(void) { CHECK(munmap(last, PAGE) == 0); }
static void gone(void) { sleep(2); }   // until init has freed the orphans

static void
orders(void)
{
  static const struct sharing region = { mapshared, unmapshared, gone };

  everyorder(&region);
}

// --- many at the same time ---

enum { STORMERS = 6, ROUNDS = 12, EACH = 33, BIG = ROUNDS * EACH * PAGE };

// In each round half of the processes touch new pages of the region. The
// others fork at the same time, which has to look at all of it, and their
// children touch the same pages; or the children are there before, and unmap
// the region at that time.
static void
storming(char *region, int me)
{
  for(int round = 0; round < ROUNDS; round++){
    char *pages = region + round * EACH * PAGE;
    char *own = map_or_fail(2*PAGE, round % 3 ? MAP_PRIVATE : MAP_SHARED);
    int forks = (round + me) % 2, before = round % 3 == 0;

    own[PAGE] = me;
    if(!before)
      sleep(1);                 // all wake up at one tick
    if(forks && forked() == 0){
      if(before)
        sleep(1);
      for(int i = 0; i < EACH && !before; i++)
        pages[i * PAGE + STORMERS + me] = round + 1;
      CHECK(own[PAGE] == me);
      own[0] = 1;
      if(round % 4 != 1)
        CHECK(munmap(region, BIG) == 0);
      exit(0);
    }
    if(before)
      sleep(1);
    for(int i = 0; i < EACH; i++)
      pages[i * PAGE + me] = round + 1;
    if(forks){
      waitok();
      for(int i = 0; i < EACH && !before; i++)
        CHECK(pages[i * PAGE + STORMERS + me] == round + 1);
    }
    CHECK(own[PAGE] == me);
    CHECK(munmap(own, 2*PAGE) == 0);
  }
}

// Processes fault, fork, exit and unmap all at the same time, on all harts.
static void
storm(void)
{
  char *region = map_or_fail(BIG, MAP_SHARED);

  for(int i = 0; i < STORMERS; i++){
    if(forked() == 0){
      storming(region, i);
      exit(0);
    }
  }
  for(int i = 0; i < STORMERS; i++)
    waitok();
  for(int i = 0; i < ROUNDS * EACH; i++){
    for(int who = 0; who < STORMERS; who++)
      CHECK(region[i * PAGE + who] == i / EACH + 1);
  }
}

// --- no memory ---

// A process that runs out of memory in a fault is killed, the others live.
static void
nomemory(void)
{
  enum { MANY = 1000 };       // pages that fit
  int fds[2];
  char c;

  CHECK(pipe(fds) == 0);
  if(forked() == 0){
    char *big = map(200UL << 20, RW, MAP_SHARED);
    if(big == FAILED)
      exit(3);
    for(uint64 i = 0; i < 200UL << 20; i += PAGE){
      big[i] = 1;
      if(i == MANY * PAGE)
        write(fds[1], "m", 1);
    }
    exit(0);
  }
  CHECK(waitstatus() == -1);
  close(fds[1]);
  CHECK(read(fds[0], &c, 1) == 1);
}

// Forks until it fails, for want of memory or of processes, with regions of
// both kinds; a fork that failed half way leaves nothing behind.
static void
forkfail(void)
{
  char *shared = map_or_fail(20*PAGE, MAP_SHARED);
  char *own = map_or_fail(300*PAGE, MAP_PRIVATE);
  int fds[2], n;
  char c;

  shared[0] = 1;
  for(int i = 0; i < 300; i++)
    own[i * PAGE] = i;
  CHECK(pipe(fds) == 0);
  for(n = 0; n < 200; n++){
    int pid = fork();
    if(pid < 0)
      break;
    if(pid == 0){
      close(fds[1]);
      read(fds[0], &c, 1);  // until the parent closes its end
      exit(shared[0] == 1 && own[299 * PAGE] == (char)299 ? 0 : 1);
    }
  }
  CHECK(n < 200);
  close(fds[1]);
  while(n-- > 0)
    waitok();
  shared[PAGE] = 1;
}

// --- nothing has changed when a call fails ---

// A page of the table maps 512 pages: each process needs two more for the
// low end and the middle of a region as long as this.
#define LONG (1200 * PAGE)
#define MIDDLE (LONG / 2)

static char *shared, *own;      // of the process that tries
static int told[2];             // pipe to the other members of its family

static void nothing(void) { }
static void ownregion(void) { own = map_or_fail(LONG, MAP_PRIVATE); }

static void
tworegions(void)
{
  shared = map_or_fail(LONG, MAP_SHARED);
  own = map_or_fail(2*PAGE, MAP_PRIVATE);
  shared[0] = shared[MIDDLE] = shared[LONG - 1] = 42;
  own[0] = own[PAGE] = 43;
}

static int
intact(void)
{
  return shared[0] == 42 && shared[MIDDLE] == 42 && shared[LONG - 1] == 42 &&
         own[0] == 43 && own[PAGE] == 43;
}

static int
trymmap(void)
{
  char *p = map(LONG, RW, MAP_SHARED);

  if(p == FAILED)
    return NOMEMORY;
  CHECK(munmap(p, LONG) == 0);
  return DONE;
}

static int
tryfault(void)
{
  own[0] = 1;                   // or this is its end
  CHECK(own[0] == 1);
  return DONE;
}

static int
tryread(void)
{
  int fd = open("README", O_RDONLY);
  int n = fd < 0 ? -1 : read(fd, own, 5);

  CHECK(fd < 0 || n == 5 || n <= 0);
  return n == 5 ? DONE : NOMEMORY;
}

// Three members: one that will fault, one that only waits, their parent.
static void
family(void)
{
  char c;

  shared = map_or_fail(LONG, MAP_SHARED);
  CHECK(pipe(told) == 0);
  for(int i = 0; i < 2; i++){
    if(forked() == 0){
      close(told[1]);
      if(read(told[0], &c, 1) == 1)
        shared[0] = 42;
      exit(0);
    }
  }
}

static int
tryfamily(void)
{
  CHECK(write(told[1], "f", 1) == 1);   // one of them reads it
  int first = waitstatus();
  close(told[1]);
  int second = waitstatus();
  CHECK((first == 0 || first == -1) && second == 0);
  if(first == -1)
    return NOMEMORY;
  CHECK(shared[0] == 42);
  return DONE;
}

static int tryfork(void) { return attemptfork(intact); }
static int tryexec(void) { return attemptexec("mmapstress", intact); }

static const struct attempt attempts[] = {
  { "mmap", nothing, trymmap, 0, 1 },
  { "page fault", ownregion, tryfault, 1 },
  { "read", ownregion, tryread },
  { "fork", tworegions, tryfork },
  { "exec", tworegions, tryexec },
  { 0, 0, 0 },
};

static const struct attempt familyattempts[] = {
  { "page fault of a family", family, tryfamily },
  { 0, 0, 0 },
};

static void failures(void) { everyfailure(attempts); }
static void familyfailures(void) { everyfailure(familyattempts); }

static const struct test tests[] = {
  { "killinfault", killinfault },
  { "orders", orders },
  { "storm", storm },
  { "nomemory", nomemory },
  { "forkfail", forkfail },
  { "failures", failures },
  { "familyfailures", familyfailures },
  { 0, 0 },
};

int
main(int argc, char **argv)
{
  if(argc == 2 && strcmp(argv[1], "-exit") == 0)
    exit(0);
  exit(runtests(argc, argv, tests));
}
