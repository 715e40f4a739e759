// mmaptests [name ...]: everything that a right solution of the lab does and
// that the four producer-consumer programs do not show. Each test runs in a
// child; `mmaptests` alone runs all of them.

#include "kernel/types.h"
#include "kernel/param.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "user/user.h"

#include "user/check.h"

#define RW (PROT_READ | PROT_WRITE)
#define FAILED ((char*)-1)
#define TOP 0x3fffffe000UL  // the trapframe: regions lie below it
#define INTS (PAGE / sizeof(int))

static char*
map(uint64 length, int prot, int flags)
{
  return mmap(0, length, prot, MAP_ANONYMOUS | flags, -1, 0);
}

static char*
map_or_fail(uint64 length, int flags)
{
  char *p = map(length, RW, flags);

  CHECK(p != FAILED);
  return p;
}

// What a child that runs `work` exits with; -1 means that it was killed.
static int
status_of(void (*work)(char*), char *p)
{
  if(forked() == 0){
    work(p);
    exit(0);
  }
  return waitstatus();
}

static void store(char *p) { p[0] = 1; }
static void load(char *p) { if(*(volatile char*)p == 99) exit(9); }

// The first region ends at the trapframe, the next one at the first.
static void
placement(void)
{
  char *a = map_or_fail(60, MAP_PRIVATE);
  char *b = map_or_fail(PAGE + 1, MAP_SHARED);

  CHECK((uint64)a == TOP - PAGE);
  CHECK(b == a - 2*PAGE);
  CHECK(munmap(a, 60) == 0 && munmap(b, PAGE + 1) == 0);
}

static void
arguments(void)
{
  char *a = map_or_fail(10, MAP_PRIVATE);
  char *b = map_or_fail(10, MAP_SHARED);

  CHECK(map(0, RW, MAP_PRIVATE) == FAILED);
  CHECK(map(~0UL, RW, MAP_PRIVATE) == FAILED);
  CHECK(map(1UL << 38, RW, MAP_PRIVATE) == FAILED);
  CHECK(map((1UL << 32) + PAGE, RW, MAP_PRIVATE) == FAILED);  // a page, as an int
  CHECK(map(10, 8, MAP_PRIVATE) == FAILED);
  CHECK(map(10, RW, 0) == FAILED);
  CHECK(map(10, RW, MAP_PRIVATE | MAP_SHARED) == FAILED);
  CHECK(mmap(0, 10, RW, MAP_PRIVATE, -1, 0) == FAILED);
  CHECK(munmap(a, 10) == 0 && munmap(b, 10) == 0);
}

// Ten regions are possible, an eleventh is refused, and a place comes back.
static void
tablefull(void)
{
  char *all[10];

  for(int i = 0; i < 10; i++)
    all[i] = map_or_fail(100, i & 1 ? MAP_SHARED : MAP_PRIVATE);
  CHECK(map(100, RW, MAP_PRIVATE) == FAILED);
  CHECK(munmap(all[4], 100) == 0);
  all[4] = map_or_fail(100, MAP_SHARED);
  for(int i = 0; i < 10; i++){
    all[i][7] = i;
    CHECK(all[i][7] == i);
    CHECK(munmap(all[i], 100) == 0);
  }
}

// There are NPROC*MAX_MMR lists for families; one that nobody needs any more
// is free again, after munmap and after exit.
static void
lists(void)
{
  for(int i = 0; i < NPROC*MAX_MMR; i++){
    char *a = map_or_fail(PAGE, MAP_SHARED);
    CHECK(munmap(a, PAGE) == 0);
  }
  for(int i = 0; i < NPROC*MAX_MMR; i += MAX_MMR){
    if(forked() == 0){
      for(int j = 0; j < MAX_MMR; j++)
        map_or_fail(PAGE, MAP_SHARED);
      exit(0);
    }
    waitok();
  }
  map_or_fail(PAGE, MAP_SHARED);
}

static void
unmapping(void)
{
  char *a = map_or_fail(3*PAGE, MAP_PRIVATE);

  a[PAGE] = 1;  // the other two pages stay untouched
  CHECK(munmap(a + PAGE, 2*PAGE) == -1);
  CHECK(munmap(a, 2*PAGE) == -1);
  CHECK(munmap(a, 4*PAGE) == -1);
  CHECK(munmap(a + 1, 3*PAGE) == -1);
  CHECK(munmap((void*)0x1000, PAGE) == -1);
  CHECK(munmap(a, 3*PAGE - 5) == 0);
  CHECK(munmap(a, 3*PAGE) == -1);
  CHECK(status_of(store, a) == -1);
}

// Nothing but a region is mapped by a fault.
static void
wild(void)
{
  char *a = map_or_fail(PAGE, MAP_PRIVATE);

  store(a);
  CHECK(status_of(store, a - PAGE) == -1);
  CHECK(status_of(load, a - 20*PAGE) == -1);
  CHECK(status_of(store, (char*)TOP) == -1);
  CHECK(status_of(store, (char*)0x2000000000) == -1);
}

static void
protection(void)
{
  char *a = map(PAGE, PROT_READ, MAP_PRIVATE);

  CHECK(a != FAILED);
  CHECK(status_of(load, a) == 0);
  CHECK(status_of(store, a) == -1);
}

// A load is a first touch as much as a store is.
static void
loadfirst(void)
{
  char *a = map_or_fail(2*PAGE, MAP_PRIVATE);

  CHECK(status_of(load, a + PAGE) == 0);
}

// System calls touch regions too: the kernel must fault them in.
static void
syscalls(void)
{
  char *a = map_or_fail(2*PAGE, MAP_SHARED);
  int fds[2];

  CHECK(pipe(fds) == 0);
  CHECK(write(fds[1], "hello", 5) == 5);
  CHECK(read(fds[0], a + PAGE - 2, 5) == 5);  // into both pages
  CHECK(memcmp(a + PAGE - 2, "hello", 5) == 0);
  char *b = map_or_fail(PAGE, MAP_PRIVATE);
  CHECK(write(fds[1], b, 10) == 10);
  int fd = open("README", O_RDONLY);
  CHECK(fd >= 0 && read(fd, b + 100, 20) == 20);
}

// Three children that are alive together form a family of four.
static void
children(void)
{
  int *a = (int*)map_or_fail(3*PAGE, MAP_SHARED), fds[2];
  char c;

  CHECK(pipe(fds) == 0);
  for(int i = 0; i < 3; i++){
    int pid = fork();
    CHECK(pid >= 0);
    if(pid == 0){
      close(fds[1]);   // so that the end of the parent ends the read
      if(read(fds[0], &c, 1) == 1)
        a[i * 1024] = 100 + i;
      exit(0);
    }
  }
  write(fds[1], "abc", 3);
  for(int i = 0; i < 3; i++)
    wait(0);
  for(int i = 0; i < 3; i++)
    CHECK(a[i * 1024] == 100 + i);
  CHECK(munmap(a, 3*PAGE) == 0);
}

// A child ends before its own child, which still has the region.
static void
grandchild(void)
{
  char *a = map_or_fail(PAGE, MAP_SHARED);
  int go[2], done[2], status;
  char c;

  CHECK(pipe(go) == 0 && pipe(done) == 0);
  int pid = fork();
  CHECK(pid >= 0);
  if(pid == 0){
    pid = fork();
    if(pid != 0)
      exit(pid < 0);
    close(go[1]);   // the end of the other writer ends the read, too
    if(read(go[0], &c, 1) == 1){
      a[0] = 42;
      write(done[1], "d", 1);
    }
    exit(0);
  }
  CHECK(wait(&status) == pid && status == 0);
  close(done[1]);
  CHECK(write(go[1], "g", 1) == 1);
  CHECK(read(done[0], &c, 1) == 1);
  CHECK(a[0] == 42);
  sleep(2);         // until the grandchild has gone, too
}

static void
privatecopy(void)
{
  char *a = map_or_fail(2*PAGE, MAP_PRIVATE);

  a[0] = 7;
  CHECK(status_of(store, a) == 0);
  CHECK(a[0] == 7);
}

// exec gives the regions back.
static void
execute(void)
{
  char *argv[] = { "mmaptests", "-exit7", 0 };
  char *shared = map_or_fail(PAGE, MAP_SHARED);

  shared[0] = 1;
  if(forked() == 0){
    store(map_or_fail(PAGE, MAP_PRIVATE));
    exec("mmaptests", argv);
    exit(1);
  }
  CHECK(waitstatus() == 7);
  CHECK(shared[0] == 1);
}

// exec's arguments may come from a region.
static void
execargs(void)
{
  if(forked() == 0){
    char **argv = (char**)map_or_fail(PAGE, MAP_PRIVATE);
    argv[0] = "mmaptests";
    argv[1] = strcpy((char*)(argv + 3), "-exit7");
    argv[2] = 0;
    exec("mmaptests", argv);
    exit(1);
  }
  CHECK(waitstatus() == 7);
}

static void
tenregions(void)
{
  for(int i = 0; i < 10; i++)
    store(map_or_fail(100, i & 1 ? MAP_SHARED : MAP_PRIVATE));
}

// A process has no region of the one that had its place in the process table
// before, nor a program one of the program before.
static void
fresh(void)
{
  char *argv[] = { "mmaptests", "-ten", 0 };

  for(int i = 0; i < 3; i++){
    if(forked() == 0){
      tenregions();
      exit(0);
    }
    waitok();
  }
  if(forked() == 0){
    tenregions();
    exec("mmaptests", argv);
    exit(1);
  }
  waitok();
}

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

static void
killed(void)
{
  volatile int *p = (int*)map_or_fail(PAGE, MAP_SHARED);

  p[0] = 42;
  int pid = forked();
  if(pid == 0){
    for(;;)
      p[1]++;
  }
  for(int i = 0; p[1] == 0 && i < 50; i++)   // unless the child has died
    sleep(1);
  CHECK(p[1] != 0);
  CHECK(kill(pid) == 0);
  CHECK(waitstatus() == -1);
  churn();
  CHECK(p[0] == 42);
  CHECK(munmap((void*)p, PAGE) == 0);
}

// A process that a wild store kills gives its regions back, and its family
// keeps them.
static void
fault(void)
{
  char *a = map_or_fail(2*PAGE, MAP_SHARED);
  char *own = map_or_fail(2*PAGE, MAP_PRIVATE);

  a[0] = 42;
  own[0] = 43;
  if(forked() == 0){
    own[PAGE] = 1;
    own[-PAGE] = 1;
    exit(0);
  }
  CHECK(waitstatus() == -1);
  churn();
  CHECK(a[0] == 42 && own[0] == 43);
}

// Pages of a shared region that are touched after fork. Each child has a
// frame of its own for them, until task 3b, and takes it along when it goes.
static void
ownframes(void)
{
  char *a = map_or_fail(2*PAGE, MAP_SHARED);

  a[0] = 42;
  for(int unmaps = 0; unmaps < 2; unmaps++){
    if(forked() == 0){
      a[PAGE] = 1;
      if(unmaps)
        CHECK(munmap(a, 2*PAGE) == 0);
      exit(0);
    }
    waitok();
  }
  CHECK(a[0] == 42);
}

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
// while, and goes on using it.
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

// --- no memory: nothing has changed when a call fails ---

// A page of the table maps 512 pages: each process needs two more for the
// low end and the middle of a region as long as this.
#define LONG (1200 * PAGE)
#define MIDDLE (LONG / 2)

static char *shared, *own;      // of the process that tries
static int told[2];             // pipe to the other members of its family

static void nothing(void) { }
static void ownregion(void) { own = map_or_fail(PAGE, MAP_PRIVATE); }

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

static int
tryfork(void)
{
  int pid = fork();

  if(pid == 0)
    exit(intact() ? 0 : 1);
  if(pid > 0)
    waitok();
  CHECK(intact());
  return pid < 0 ? NOMEMORY : DONE;
}

static int
tryexec(void)
{
  char *argv[] = { "mmaptests", "-exit", 0 };

  exec("mmaptests", argv);
  CHECK(intact());
  return NOMEMORY;
}

static const struct attempt attempts[] = {
  { "mmap", nothing, trymmap },
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
  { "placement", placement },
  { "arguments", arguments },
  { "tablefull", tablefull },
  { "lists", lists },
  { "unmapping", unmapping },
  { "wild", wild },
  { "protection", protection },
  { "loadfirst", loadfirst },
  { "syscalls", syscalls },
  { "privatecopy", privatecopy },
  { "children", children },
  { "grandchild", grandchild },
  { "execute", execute },
  { "execargs", execargs },
  { "fresh", fresh },
  { "killed", killed },
  { "fault", fault },
  { "ownframes", ownframes },
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
  if(argc == 2 && strcmp(argv[1], "-exit7") == 0)
    exit(7);
  if(argc == 2 && strcmp(argv[1], "-ten") == 0){
    tenregions();
    exit(0);
  }
  exit(runtests(argc, argv, tests));
}
