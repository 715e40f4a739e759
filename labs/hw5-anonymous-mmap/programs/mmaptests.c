// mmaptests [name ...]: everything that a right solution of the lab does and
// that the four producer-consumer programs do not show. Each test runs in a
// child; `mmaptests` alone runs all of them.

#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "user/user.h"

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)
#define FAILED ((char*)-1)
#define TOP 0x3fffffe000UL  // the trapframe: regions lie below it

#define CHECK(condition) check(condition, #condition, __LINE__)

static void
check(int ok, const char *what, int line)
{
  if(ok)
    return;
  printf("line %d: not true: %s\n", line, what);
  exit(1);
}

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
  int status, pid = fork();

  CHECK(pid >= 0);
  if(pid == 0){
    work(p);
    exit(0);
  }
  CHECK(wait(&status) == pid);
  return status;
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
}

static void
arguments(void)
{
  CHECK(map(0, RW, MAP_PRIVATE) == FAILED);
  CHECK(map(~0UL, RW, MAP_PRIVATE) == FAILED);
  CHECK(map(1UL << 38, RW, MAP_PRIVATE) == FAILED);
  CHECK(map(10, 8, MAP_PRIVATE) == FAILED);
  CHECK(map(10, RW, 0) == FAILED);
  CHECK(map(10, RW, MAP_PRIVATE | MAP_SHARED) == FAILED);
  CHECK(mmap(0, 10, RW, MAP_PRIVATE, -1, 0) == FAILED);
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

// exec gives the regions back, and the arguments may have come from one.
static void
execute(void)
{
  char *shared = map_or_fail(PAGE, MAP_SHARED);
  int status;

  shared[0] = 1;
  if(fork() == 0){
    char **argv = (char**)map_or_fail(PAGE, MAP_PRIVATE);
    argv[0] = "mmaptests";
    argv[1] = "exit7";
    argv[2] = 0;
    exec("mmaptests", argv);
    exit(1);
  }
  wait(&status);
  CHECK(status == 7);
  CHECK(shared[0] == 1);
}

// A process that runs out of memory in a fault is killed, the others live.
static void
nomemory(void)
{
  int status, pid = fork();

  CHECK(pid >= 0);
  if(pid == 0){
    char *big = map(200UL << 20, RW, MAP_SHARED);
    if(big == FAILED)
      exit(3);
    for(uint64 i = 0; i < 200UL << 20; i += PAGE)
      big[i] = 1;
    exit(0);
  }
  CHECK(wait(&status) == pid);
  CHECK(status == -1);
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
      exit(0);
    }
  }
  CHECK(n < 200);
  close(fds[1]);
  while(n-- > 0)
    CHECK(wait(0) >= 0);
  shared[PAGE] = 1;
}

static void
killed(void)
{
  char *a = map_or_fail(PAGE, MAP_SHARED);
  int pid = fork();

  CHECK(pid >= 0);
  if(pid == 0)
    for(;;)
      a[0]++;
  sleep(2);
  CHECK(kill(pid) == 0);
  CHECK(wait(0) == pid);
  CHECK(munmap(a, PAGE) == 0);
}

static struct test {
  char *name;
  void (*run)(void);
} tests[] = {
  { "placement", placement },
  { "arguments", arguments },
  { "tablefull", tablefull },
  { "unmapping", unmapping },
  { "wild", wild },
  { "protection", protection },
  { "loadfirst", loadfirst },
  { "syscalls", syscalls },
  { "privatecopy", privatecopy },
  { "children", children },
  { "grandchild", grandchild },
  { "execute", execute },
  { "killed", killed },
  { "nomemory", nomemory },
  { "forkfail", forkfail },
  { 0, 0 },
};

static int
run(struct test *t)
{
  int status, pid = fork();

  if(pid < 0){
    printf("fork failed\n");
    return 1;
  }
  if(pid == 0){
    t->run();
    exit(0);
  }
  wait(&status);
  printf("%s: %s\n", t->name, status == 0 ? "OK" : "FAILED");
  return status != 0;
}

static int
wanted(const char *name, int argc, char **argv)
{
  for(int i = 1; i < argc; i++)
    if(strcmp(argv[i], name) == 0)
      return 1;
  return argc == 1;
}

int
main(int argc, char **argv)
{
  int failed = 0;

  if(argc == 2 && strcmp(argv[1], "exit7") == 0)
    exit(7);
  for(struct test *t = tests; t->name; t++)
    if(wanted(t->name, argc, argv))
      failed |= run(t);
  exit(failed);
}
