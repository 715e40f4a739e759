// shmtests [name ...]: what a right solution does and mmaptest does not show.
// Each test runs in a child of its own; `shmtests` alone runs all of them.

#include "kernel/types.h"
#include "user/user.h"
#include "user/shmcheck.h"

#define REGION 0x4000000UL

static volatile int*
map(void)
{
  uint64 addr = mmap();

  CHECK(addr == REGION);
  return (int*)addr;
}

static void
unmap(void)
{
  CHECK(munmap(REGION) == 0);
}

static void gone(void);
static const struct sharing page = { map, unmap, gone };
static void gone(void) { waitfree(&page); }

// All of a new page is zero, and it can be written to its end.
static void
zeroed(void)
{
  volatile int *p = map();

  for(int i = 0; i < PAGE / sizeof(int); i++)
    CHECK(p[i] == 0);
  p[PAGE / sizeof(int) - 1] = 1;
  CHECK(munmap(REGION) == 0);
}

// A second mmap may return the page again or refuse; it must not count or
// map anything twice.
static void
twice(void)
{
  volatile int *p = map();

  *p = 5;
  uint64 again = mmap();
  CHECK(again == REGION || again == 0);
  CHECK(*p == 5);
  CHECK(munmap(REGION) == 0);
  CHECK(munmap(REGION) == -1);
  p = map();
  CHECK(*p == 0);
  CHECK(munmap(REGION) == 0);
}

static void
otheraddress(void)
{
  volatile int *p = map();

  *p = 6;
  CHECK(munmap(0) == -1);
  CHECK(munmap(REGION + 1) == -1);
  CHECK(munmap(REGION + PAGE) == -1);
  CHECK(munmap(-1UL) == -1);
  CHECK(*p == 6);
  CHECK(munmap(REGION) == 0);
}

static void
doublemunmap(void)
{
  CHECK(munmap(REGION) == -1);
  map();
  CHECK(munmap(REGION) == 0);
  CHECK(munmap(REGION) == -1);
}

// The child goes first: the parent's page must stay what it was.
static void
childfirst(void)
{
  volatile int *p = map();

  *p = 42;
  if(forked() == 0){
    CHECK(*p == 42);
    *p = 43;
    CHECK(munmap(REGION) == 0);
    exit(0);
  }
  waitok();
  churn();
  CHECK(*p == 43);
  CHECK(munmap(REGION) == 0);
}

// The parent goes first: the grandchild keeps the page.
static void
parentfirst(void)
{
  int fds[2];
  char c = 0;

  CHECK(pipe(fds) == 0);
  if(forked() == 0){
    volatile int *p = map();
    *p = 44;
    if(forked() == 0){
      sleep(2);   // by now the parent is gone
      churn();
      c = *p == 44 ? 'y' : 'n';
      write(fds[1], &c, 1);
      exit(0);
    }
    exit(0);
  }
  close(fds[1]);
  waitok();
  CHECK(read(fds[0], &c, 1) == 1);
  CHECK(c == 'y');
  sleep(2);   // init waits for the grandchild
}

// exec gives the page back.
static void
execute(void)
{
  char *argv[] = { "shmtests", "-afterexec", 0 };

  if(forked() == 0){
    *map() = 45;
    exec("shmtests", argv);
    exit(1);
  }
  waitok();
}

static void
afterexec(void)
{
  CHECK(munmap(REGION) == -1);
  CHECK(*map() == 0);
  CHECK(munmap(REGION) == 0);
}

// So does exit.
static void
nomunmap(void)
{
  if(forked() == 0){
    *map() = 46;
    exit(0);
  }
  waitok();
  CHECK(*map() == 0);
  // and this process ends with the page mapped, too
}

// Three children have the page at the same time as their parent.
static void
children(void)
{
  volatile int *p = map();

  for(int i = 0; i < 3; i++){
    if(forked() == 0){
      p[i] = i + 1;
      for(int t = 0; t < 50 && !(p[0] && p[1] && p[2]); t++)
        sleep(1);
      CHECK(p[0] == 1 && p[1] == 2 && p[2] == 3);
      // one of them by munmap, the others by exit
      if(i == 0)
        CHECK(munmap(REGION) == 0);
      exit(0);
    }
  }
  for(int i = 0; i < 3; i++)
    waitok();
  churn();
  CHECK(p[0] == 1 && p[1] == 2 && p[2] == 3);
  CHECK(munmap(REGION) == 0);
}

// A child's child shares as well, and unrelated processes do.
static void
unrelated(void)
{
  int fds[2];
  char c;

  CHECK(pipe(fds) == 0);
  if(forked() == 0){
    close(fds[1]);
    CHECK(read(fds[0], &c, 1) == 1);   // the other has mapped it by now
    volatile int *p = map();
    CHECK(*p == 47);
    *p = 48;
    exit(0);
  }
  volatile int *p = map();             // after the fork
  *p = 47;
  write(fds[1], "x", 1);
  waitok();
  CHECK(*p == 48);
  CHECK(munmap(REGION) == 0);
}

// The heap must not grow into the page.
static void
grow(void)
{
  volatile int *p = map();

  *p = 49;
  CHECK(sbrk(REGION) == (char*)-1);
  CHECK(*p == 49);
  CHECK(munmap(REGION) == 0);
}

// A process whose heap has come past the page's address, and that never
// called mmap, has an ordinary page there.
static void
bigheap(void)
{
  if(forked() == 0){
    CHECK(sbrk(REGION) != NONE);
    volatile int *heap = (int*)REGION;
    *heap = 50;
    CHECK(mmap() == 0);
    CHECK(munmap(REGION) == -1);
    CHECK(*heap == 50);
    exit(0);
  }
  volatile int *p = map();
  *p = 51;
  waitok();
  CHECK(*p == 51);
  unmap();
}

// A process that is killed lets the page go as one that exits.
static void
killing(void)
{
  volatile int *p = map();

  *p = 52;
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
  CHECK(*p == 52);
  unmap();
  CHECK(*map() == 0);
  unmap();
}

// So does one that is killed for an access beside the page.
static void
fault(void)
{
  volatile int *p = map();

  *p = 53;
  if(forked() == 0){
    p[PAGE / sizeof(int)] = 1;
    exit(0);
  }
  CHECK(waitstatus() == -1);
  churn();
  CHECK(*p == 53);
  unmap();
  waitfree(&page);
}

static void orders(void) { everyorder(&page); }
static void storm(void) { stormed(&page, 6); }
static void anywhere(void) { killedanywhere(&page, 4); }

// --- no memory: nothing has changed when a call fails ---

static void nothing(void) { }

static void
mapped(void)
{
  *map() = 54;
}

static int
trymmap(void)
{
  if(mmap() != REGION){
    CHECK(munmap(REGION) == -1);
    return NOMEMORY;
  }
  unmap();
  return DONE;
}

static int intact(void) { return *(volatile int*)REGION == 54; }
static int tryfork(void) { return attemptfork(intact); }
static int tryexec(void) { return attemptexec("shmtests", intact); }

static const struct attempt attempts[] = {
  { "mmap", nothing, trymmap },
  { "fork", mapped, tryfork },
  { "exec", mapped, tryexec },
  { 0, 0, 0 },
};

static void nomemory(void) { everyfailure(attempts); }

static const struct test tests[] = {
  { "zeroed", zeroed },
  { "twice", twice },
  { "otheraddress", otheraddress },
  { "doublemunmap", doublemunmap },
  { "childfirst", childfirst },
  { "parentfirst", parentfirst },
  { "execute", execute },
  { "nomunmap", nomunmap },
  { "children", children },
  { "unrelated", unrelated },
  { "grow", grow },
  { "bigheap", bigheap },
  { "killing", killing },
  { "fault", fault },
  { "orders", orders },
  { "storm", storm },
  { "anywhere", anywhere },
  { "nomemory", nomemory },
  { 0, 0 },
};

int
main(int argc, char **argv)
{
  if(argc == 2 && strcmp(argv[1], "-exit") == 0)
    exit(0);
  if(argc == 2 && strcmp(argv[1], "-afterexec") == 0){
    afterexec();
    exit(0);
  }
  exit(runtests(argc, argv, tests));
}
