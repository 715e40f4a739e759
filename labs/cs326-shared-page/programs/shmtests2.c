// shmtests2 [name ...]: what a right solution of task 2 does and mmaptest2
// does not show. `shmtests2` alone runs all tests.

#include "kernel/types.h"
#include "kernel/shmem.h"
#define MMAP_REGIONS
#include "user/user.h"
#include "user/shmcheck.h"

#define RW (PROT_READ | PROT_WRITE)
#define TRAPFRAME 0x3fffffe000UL
#define INTS (PAGE / sizeof(int))

static uint64
request(uint64 len, int id)
{
  return mmap(len, RW, MAP_SHARED, id);
}

static volatile int*
map(uint64 len, int id)
{
  uint64 addr = request(len, id);

  CHECK(addr != 0 && addr != -1UL && addr % PAGE == 0);
  return (int*)addr;
}

static void
unmap(volatile int *p)
{
  CHECK(munmap((uint64)p) == 0);
}

// The named region that the tests of shmcheck.h use.
static volatile int *seven;
static volatile int* mapseven(void) { return seven = map(2 * PAGE, 7); }
static void unmapseven(void) { unmap(seven); }
static void gone(void);
static const struct sharing region = { mapseven, unmapseven, gone };
static void gone(void) { waitfree(&region); }

static int
overlap(uint64 a, uint64 alen, uint64 b, uint64 blen)
{
  return a < b + blen && b < a + alen;
}

// Regions lie apart from each other, from the program and its heap, and from
// the page of mmap(void).
static void
places(void)
{
  enum { N = 5 };
  uint64 addr[N];

  for(int i = 0; i < N; i++){
    uint64 len = (i + 1) * PAGE;
    addr[i] = (uint64)map(len, 0);
    CHECK(addr[i] >= (uint64)sbrk(0));
    CHECK(addr[i] + len <= TRAPFRAME);
    CHECK(!overlap(addr[i], len, 0x4000000, PAGE));
    for(int j = 0; j < i; j++)
      CHECK(!overlap(addr[i], len, addr[j], (j + 1) * PAGE));
  }
}

// All of a new region is zero, and all of it can be written; a length that
// is no multiple of the page size is rounded up.
static void
zeroed(void)
{
  volatile int *p = map(2 * PAGE + 1, 0);

  for(int i = 0; i < 3 * INTS; i++)
    CHECK(p[i] == 0);
  for(int i = 0; i < 3 * INTS; i++)
    p[i] = i;
  for(int i = 0; i < 3 * INTS; i++)
    CHECK(p[i] == i);
  unmap(p);
}

// Two regions without a name are two, also in two processes.
static void
anonymous(void)
{
  volatile int *a = map(PAGE, 0), *b = map(PAGE, 0);

  CHECK(a != b);
  *a = 1;
  *b = 2;
  CHECK(*a == 1);
  if(forked() == 0){
    volatile int *c = map(PAGE, 0);
    CHECK(*c == 0);
    *c = 3;
    CHECK(*a == 1 && *b == 2);
    exit(0);
  }
  waitok();
  CHECK(*a == 1 && *b == 2);
}

// Processes that map the same name after fork() have the same memory; here
// at two addresses.
static void
named(void)
{
  int fds[2];
  char c;

  CHECK(pipe(fds) == 0);
  if(forked() == 0){
    close(fds[1]);
    CHECK(read(fds[0], &c, 1) == 1);   // the other has mapped it by now
    volatile int *before = map(3 * PAGE, 0);
    volatile int *p = map(2 * PAGE, 5);
    CHECK(p[0] == 10 && p[INTS] == 20);
    p[INTS] = 200;
    CHECK(before[0] == 0);
    exit(0);
  }
  volatile int *p = map(2 * PAGE, 5);
  p[0] = 10;
  p[INTS] = 20;
  write(fds[1], "x", 1);
  waitok();
  CHECK(p[0] == 10 && p[INTS] == 200);
  unmap(p);
}

// Different names are different memory.
static void
names(void)
{
  volatile int *a = map(PAGE, 5), *b = map(PAGE, 6);

  *a = 5;
  *b = 6;
  CHECK(*a == 5);
  if(forked() == 0){
    unmap(a);
    CHECK(*b == 6);
    volatile int *again = map(PAGE, 5);
    CHECK(*again == 5);
    exit(0);
  }
  waitok();
  CHECK(*a == 5 && *b == 6);
  unmap(a);
  CHECK(*b == 6);
}

// Mapping a name that this process has already may be refused, or give the
// same address, or a second one; it must not count what it does not map.
static void
twice(void)
{
  volatile int *a = map(PAGE, 5);

  *a = 7;
  volatile int *b = (int*)request(PAGE, 5);
  CHECK(*a == 7);
  if(b != 0 && b != a){
    CHECK(*b == 7);
    unmap(b);
    CHECK(*a == 7);
  }
  unmap(a);
  CHECK(munmap((uint64)a) == -1);
  a = map(PAGE, 5);
  CHECK(*a == 0);
  unmap(a);
}

// A name is free again when nobody has its region: then it may have
// another length. Until then the length has to be the same.
static void
reused(void)
{
  volatile int *a = map(2 * PAGE, 5);

  *a = 8;
  if(forked() == 0){
    unmap(a);
    CHECK(request(3 * PAGE, 5) == 0);
    CHECK(request(PAGE, 5) == 0);
    a = map(2 * PAGE, 5);
    CHECK(*a == 8);
    exit(0);
  }
  waitok();
  unmap(a);
  a = map(3 * PAGE, 5);
  for(int i = 0; i < 3; i++)
    CHECK(a[i * INTS] == 0);
  unmap(a);
}

// Reading is allowed, writing kills; for system calls too. Another process
// may write the same region.
static void
readonly(void)
{
  volatile int *w = map(PAGE, 5);
  int fds[2];

  *w = 9;
  if(forked() == 0){
    unmap(w);
    volatile int *r = (int*)mmap(PAGE, PROT_READ, MAP_SHARED, 5);
    CHECK(r != 0);
    CHECK(*r == 9);
    CHECK(pipe(fds) == 0);
    CHECK(write(fds[1], (char*)r, 4) == 4);
    CHECK(read(fds[0], (char*)r, 4) <= 0);
    CHECK(*r == 9);
    if(forked() == 0){
      *r = 1;       // a child's mapping is read-only as well
      exit(0);
    }
    CHECK(waitstatus() == -1);
    *r = 1;
    exit(0);
  }
  CHECK(waitstatus() == -1);
  CHECK(*w == 9);
  *w = 10;
  CHECK(*w == 10);
}

// What mmap() must refuse.
static void
arguments(void)
{
  CHECK(mmap(0, RW, MAP_SHARED, 0) == 0);
  CHECK(mmap(-1UL, RW, MAP_SHARED, 0) == 0);
  CHECK(mmap(-(uint64)PAGE, RW, MAP_SHARED, 0) == 0);
  CHECK(mmap(1UL << 38, RW, MAP_SHARED, 0) == 0);
  CHECK(mmap((1UL << 32) + PAGE, RW, MAP_SHARED, 0) == 0);
  CHECK(mmap(SHMEM_MAXPAGES * PAGE + 1, RW, MAP_SHARED, 0) == 0);
  CHECK(mmap(PAGE, 0, MAP_SHARED, 0) == 0);
  CHECK(mmap(PAGE, PROT_WRITE, MAP_SHARED, 0) == 0);
  CHECK(mmap(PAGE, RW | 8, MAP_SHARED, 0) == 0);
  CHECK(mmap(PAGE, RW | 16, MAP_SHARED, 0) == 0);
  CHECK(mmap(PAGE, RW, 0, 0) == 0);
  CHECK(mmap(PAGE, RW, MAP_SHARED | 2, 0) == 0);
  CHECK(mmap(PAGE, RW, MAP_SHARED, -1) == 0);
  unmap(map(SHMEM_MAXPAGES * PAGE, 0));
  unmap(map(1, 0));
}

// munmap() takes the beginning of a region, once.
static void
unmapping(void)
{
  volatile int *a = map(3 * PAGE, 0), *b = map(PAGE, 0);

  a[INTS] = 11;
  CHECK(munmap(0) == -1);
  CHECK(munmap((uint64)a + 1) == -1);
  CHECK(munmap((uint64)a + PAGE) == -1);
  CHECK(munmap((uint64)a - PAGE) == -1);
  CHECK(munmap(0x1000) == -1);
  CHECK(munmap(TRAPFRAME) == -1);
  CHECK(munmap(TRAPFRAME + PAGE) == -1);
  CHECK(munmap(-1UL) == -1);
  CHECK(munmap(0x4000000) == -1);
  CHECK(a[INTS] == 11);
  unmap(a);
  CHECK(munmap((uint64)a) == -1);
  if(forked() == 0){
    a[2 * INTS] = 1;
    exit(0);
  }
  CHECK(waitstatus() == -1);
  *b = 1;
  unmap(b);
}

// A process can have NMAPPING regions; a place comes back.
static void
mappingsfull(void)
{
  volatile int *p[NMAPPING];

  for(int i = 0; i < NMAPPING; i++){
    p[i] = map(PAGE, 0);
    *p[i] = i;
  }
  CHECK(request(PAGE, 0) == 0);
  CHECK(request(PAGE, 5) == 0);
  unmap(p[3]);
  p[3] = map(4 * PAGE, 0);
  *p[3] = 3;
  for(int i = 0; i < NMAPPING; i++){
    CHECK(*p[i] == i);
    unmap(p[i]);
  }
}

// All processes together can have NSHMEM regions.
static void
regionsfull(void)
{
  for(int i = 0; i < NMAPPING; i++)
    map(PAGE, 0);
  if(forked() == 0){
    // The child has the parent's: as many mappings, no more regions.
    CHECK(request(PAGE, 0) == 0);
    exit(0);
  }
  waitok();

  // One that has let go of the parent's regions takes the rest.
  if(forked() == 0){
    char *argv[] = { "shmtests2", "-fill", 0 };
    exec("shmtests2", argv);
    exit(1);
  }
  CHECK(waitstatus() == NSHMEM - NMAPPING);
}

// How many regions this process can map.
static int
fill(void)
{
  int n = 0;

  while(request(PAGE, 0) != 0)
    n++;
  return n;
}

// The child unmaps one region and keeps another, which the parent unmaps.
static void
children(void)
{
  volatile int *a = map(PAGE, 0), *b = map(2 * PAGE, 0);

  for(int i = 0; i < 3; i++){
    if(forked() == 0){
      a[i] = b[INTS + i] = i + 1;
      for(int t = 0; t < 50 && !(a[0] && a[1] && a[2]); t++)
        sleep(1);
      CHECK(a[0] == 1 && a[1] == 2 && a[2] == 3);
      if(i < 2)
        unmap(i == 0 ? a : b);
      exit(0);
    }
  }
  for(int i = 0; i < 3; i++)
    waitok();
  churn();
  CHECK(a[0] == 1 && a[1] == 2 && a[2] == 3);
  unmap(a);
  CHECK(b[INTS] == 1 && b[INTS + 1] == 2 && b[INTS + 2] == 3);
  unmap(b);
}

// exec() gives the regions back.
static void
execute(void)
{
  char *argv[] = { "shmtests2", "-afterexec", 0 };
  volatile int *p = map(2 * PAGE, 5);

  p[0] = 12;
  if(forked() == 0){
    p[INTS] = 13;
    map(PAGE, 0);
    exec("shmtests2", argv);
    exit(1);
  }
  waitok();
  CHECK(p[0] == 12 && p[INTS] == 14);
  unmap(p);
  waitfree(&region);
}

static void
afterexec(void)
{
  volatile int *p = map(2 * PAGE, 5);

  CHECK(p[0] == 12 && p[INTS] == 13);
  p[INTS] = 14;
  unmap(p);
  CHECK(fill() == NMAPPING);
}

// So does exit().
static void
nomunmap(void)
{
  if(forked() == 0){
    volatile int *p = map(2 * PAGE, 5);
    p[0] = 15;
    map(3 * PAGE, 0);
    exit(0);
  }
  waitok();
  CHECK(*map(PAGE, 5) == 0);
  // and this process ends with a region, too
}

// mmap(void) of task 1 keeps working beside the regions.
extern uint64 (mmap)(void);

static void
both(void)
{
  volatile int *a = map(PAGE, 0);
  volatile int *one = (int*)(mmap)();

  CHECK(one == (int*)0x4000000);
  *a = 16;
  *one = 17;
  if(forked() == 0){
    CHECK(*a == 16 && *one == 17);
    CHECK(munmap(0x4000000) == 0);
    *a = 18;
    exit(0);
  }
  waitok();
  CHECK(*a == 18 && *one == 17);
  CHECK(munmap(0x4000000) == 0);
  unmap(a);
}

// The heap does not grow into a region, nor a region into a big heap.
static void
heap(void)
{
  volatile int *a = map(2 * PAGE, 0);
  uint64 room = (uint64)a - (uint64)sbrk(0);

  a[INTS] = 19;
  if(room < 1UL << 30){
    CHECK(sbrk(room) != NONE);       // right up to it
    CHECK(sbrk(1) == NONE);
    CHECK(a[INTS] == 19);
    unmap(a);
    CHECK(sbrk(4 * PAGE) != NONE);   // and over its place
  } else {
    unmap(a);
    CHECK(sbrk(0x4100000) != NONE);
  }

  volatile char *end = sbrk(0);
  end[-1] = 20;
  a = map(2 * PAGE, 0);
  CHECK((char*)a >= end);
  a[0] = a[INTS] = 21;
  CHECK(end[-1] == 20);
  unmap(a);
}

static void
killing(void)
{
  volatile int *p = map(PAGE, 0), *q = mapseven();

  *q = 22;
  int pid = forked();
  if(pid == 0){
    for(;;)
      p[0]++;
  }
  for(int i = 0; p[0] == 0 && i < 50; i++)   // unless the child has died
    sleep(1);
  CHECK(p[0] != 0);
  CHECK(kill(pid) == 0);
  CHECK(waitstatus() == -1);
  churn();
  CHECK(*q == 22);
  unmap(p);
  unmapseven();
  waitfree(&region);
}

static void
fault(void)
{
  volatile int *p = mapseven();

  p[0] = 23;
  if(forked() == 0){
    map(PAGE, 0);
    *(volatile int*)0x2000000000 = 1;
    exit(0);
  }
  CHECK(waitstatus() == -1);
  churn();
  CHECK(p[0] == 23);
  unmapseven();
  waitfree(&region);
}

static void orders(void) { everyorder(&region); }
static void storm(void) { stormed(&region, 6); }
static void anywhere(void) { killedanywhere(&region, 4); }

// --- no memory: nothing has changed when a call fails ---

static volatile int *kept;      // what tryfork() and tryexec() must not lose

static void nothing(void) { }

// Regions that end a page before the first multiple of 2 MB, if they are
// placed one behind the other from the page of mmap(void) on: then the next
// one needs two table pages, of which the second can fail.
static void
almost(void)
{
  int pages = 512 - 2;

  for(; pages > SHMEM_MAXPAGES; pages -= SHMEM_MAXPAGES)
    map(SHMEM_MAXPAGES * PAGE, 0);
  map(pages * PAGE, 0);
}

static void
two(void)
{
  kept = map(2 * PAGE, 0);
  kept[INTS] = 24;
  mapseven()[INTS] = 25;
}

static int
intact(void)
{
  return kept[INTS] == 24 && seven[INTS] == 25;
}

static int
trymmap(void)
{
  volatile int *p = (int*)request(4 * PAGE, 5);

  if(p == 0)
    return NOMEMORY;
  for(int i = 0; i < 4 * INTS; i++)
    CHECK(p[i] == 0);
  unmap(p);
  return DONE;
}

static int tryfork(void) { return attemptfork(intact); }
static int tryexec(void) { return attemptexec("shmtests2", intact); }

static const struct attempt attempts[] = {
  { "mmap", nothing, trymmap },
  { "fork", two, tryfork },
  { "exec", two, tryexec },
  { 0, 0, 0 },
};

static void
nomemory(void)
{
  almost();
  everyfailure(attempts);
}

static const struct test tests[] = {
  { "places", places },
  { "zeroed", zeroed },
  { "anonymous", anonymous },
  { "named", named },
  { "names", names },
  { "twice", twice },
  { "reused", reused },
  { "readonly", readonly },
  { "arguments", arguments },
  { "unmapping", unmapping },
  { "mappingsfull", mappingsfull },
  { "regionsfull", regionsfull },
  { "children", children },
  { "execute", execute },
  { "nomunmap", nomunmap },
  { "both", both },
  { "heap", heap },
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
  if(argc == 2 && strcmp(argv[1], "-fill") == 0)
    exit(fill());
  if(argc == 2 && strcmp(argv[1], "-afterexec") == 0){
    afterexec();
    exit(0);
  }
  exit(runtests(argc, argv, tests));
}
