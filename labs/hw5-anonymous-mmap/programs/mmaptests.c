// mmaptests [name ...]: what a right solution of the lab does and the four
// producer-consumer programs do not show. Each test runs in a child;
// `mmaptests` alone runs all of them. mmapstress has those with many
// processes, and those in which memory runs out.

#include "kernel/types.h"
#include "kernel/param.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "user/user.h"

#include "user/mmapcheck.h"

#define TOP 0x3fffffe000UL  // the trapframe: regions lie below it

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

static void
killed(void)
{
  volatile int *p = (int*)map_or_fail(PAGE, MAP_SHARED);

  p[0] = 42;
  p[1] = 0;
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
  a[1] = 0;
  own[0] = 43;
  if(forked() == 0){
    own[PAGE] = 1;
    a[1] = 44;
    own[-PAGE] = 1;
    exit(0);
  }
  CHECK(waitstatus() == -1);
  churn();
  CHECK(a[0] == 42 && a[1] == 44 && own[0] == 43);
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
  { 0, 0 },
};

int
main(int argc, char **argv)
{
  if(argc == 2 && strcmp(argv[1], "-exit7") == 0)
    exit(7);
  if(argc == 2 && strcmp(argv[1], "-ten") == 0){
    tenregions();
    exit(0);
  }
  exit(runtests(argc, argv, tests));
}
