// usertests [-q | name ...]: tests of the system calls and of the shell, each in
// a child of its own. -q leaves out the slow ones. Before and after a run the
// free memory is counted: a test that ends must leave nothing behind.

#include "kernel/types.h"
#include "kernel/param.h"
#include "kernel/stat.h"
#include "kernel/fs.h"
#include "kernel/fcntl.h"
#include "kernel/syscall.h"
#include "kernel/riscv.h"
#include "kernel/memlayout.h"
#include "user/user.h"

#define CHECK(condition) check(condition, #condition, __LINE__)

static char buf[3*BSIZE];

static void
check(int ok, const char *what, int line)
{
  if(ok)
    return;
  printf("line %d: not true: %s\n", line, what);
  exit(1);
}

// Runs `work` in a child; its exit status, or -1 if it was killed.
static int
child(void (*work)(void))
{
  int status, pid = fork();

  CHECK(pid >= 0);
  if(pid == 0){
    work();
    exit(0);
  }
  CHECK(wait(&status) == pid);
  return status;
}

static int
make(const char *name, const char *text)
{
  int fd = open(name, O_CREATE | O_TRUNC | O_RDWR);

  CHECK(fd >= 0);
  int n = strlen(text);
  CHECK(write(fd, text, n) == n);
  return fd;
}

static int
exists(const char *name)
{
  struct stat st;

  return stat(name, &st) == 0;
}

// ---- bad addresses: system calls must refuse them ----------------------------

static uint64 bad[] = { 0x80000000, 0x3fffffe000, 0x3ffffff000, 0x4000000000, 0xffffffffffffffff };
#define NBAD (sizeof(bad) / sizeof(bad[0]))

static void
badread(void)
{
  for(uint i = 0; i < NBAD; i++){
    int fd = open("README", O_RDONLY);
    CHECK(fd >= 0 && read(fd, (void*)bad[i], 100) <= 0);
    close(fd);
  }
}

static void
badwrite(void)
{
  int fds[2];

  for(uint i = 0; i < NBAD; i++){
    CHECK(pipe(fds) == 0);
    CHECK(write(fds[1], (void*)bad[i], 10) <= 0);
    close(fds[0]);
    close(fds[1]);
    int fd = make("badwrite", "");
    CHECK(write(fd, (void*)bad[i], 10) <= 0);
    close(fd);
  }
  unlink("badwrite");
}

static void badopen(void) { for(uint i = 0; i < NBAD; i++) CHECK(open((char*)bad[i], O_CREATE | O_RDWR) == -1); }
static void badunlink(void) { for(uint i = 0; i < NBAD; i++) CHECK(unlink((char*)bad[i]) == -1); }
static void badlink(void) { for(uint i = 0; i < NBAD; i++) CHECK(link("README", (char*)bad[i]) == -1 && link((char*)bad[i], "x") == -1); }
static void badmkdir(void) { for(uint i = 0; i < NBAD; i++) CHECK(mkdir((char*)bad[i]) == -1 && chdir((char*)bad[i]) == -1); }
static void badpipe(void) { for(uint i = 0; i < NBAD; i++) CHECK(pipe((int*)bad[i]) == -1); }

static void
badexec(void)
{
  for(uint i = 0; i < NBAD; i++){
    char *argv[] = { (char*)bad[i], 0 };
    CHECK(exec("echo", argv) == -1);
    CHECK(exec("echo", (char**)bad[i]) == -1);
    CHECK(exec((char*)bad[i], argv) == -1);
  }
}

static void
badfstat(void)
{
  int fd = open("README", O_RDONLY);

  for(uint i = 0; i < NBAD; i++)
    CHECK(fstat(fd, (struct stat*)bad[i]) == -1);
  CHECK(fstat(99, (struct stat*)buf) == -1);
}

static void
badwait(void)
{
  for(uint i = 0; i < NBAD; i++){
    int pid = fork();
    if(pid == 0)
      exit(0);
    CHECK(wait((int*)bad[i]) == -1);
    // The child is still there to be waited for.
    CHECK(wait(0) == pid);
  }
}

static void
badnumbers(void)
{
  CHECK(read(-1, buf, 1) == -1 && write(-1, buf, 1) == -1 && close(-1) == -1 && dup(-1) == -1);
  CHECK(read(NOFILE, buf, 1) == -1 && close(1000000) == -1);
  CHECK(kill(-1) == -1 && kill(1000000) == -1);
}

static void
negative(void)
{
  int fds[2], fd = make("negative", "text");

  CHECK(pipe(fds) == 0);
  CHECK(write(fds[1], buf, -1) == -1 && read(fds[0], buf, -1) == -1);
  CHECK(write(fd, buf, -1) == -1 && read(fd, buf, -1) == -1);
  close(fd);
  fd = open("negative", O_RDONLY);
  CHECK(read(fd, buf, -1) == -1 && read(fd, buf, 10) == 4);
  unlink("negative");
}

// ---- memory --------------------------------------------------------------------

static volatile char *touched;
static void touch(void) { touched[0] = 1; }
static void look(void) { if(touched[0] == 77) exit(3); }

static void
grow(void)
{
  char *old = sbrk(0), *p = sbrk(5*PGSIZE);

  CHECK(p == old && sbrk(0) == old + 5*PGSIZE);
  for(int i = 0; i < 5*PGSIZE; i++){
    CHECK(p[i] == 0);
    p[i] = i;
  }
}

static void
shrink(void)
{
  char *p = sbrk(2*PGSIZE);

  CHECK(sbrk(-2*PGSIZE) == p + 2*PGSIZE && sbrk(0) == p);
  touched = (char*)PGROUNDUP((uint64)p) + PGSIZE;
  CHECK(child(touch) == -1);
}

static void
bytewise(void)
{
  char *p = sbrk(0);

  for(int i = 0; i < 5000; i++)
    CHECK(sbrk(1) == p + i);
  p[4999] = 1;
  CHECK(sbrk(-5000) == p + 5000);
}

static void
toomuch(void)
{
  char *p = sbrk(0);

  CHECK(sbrk(1 << 30) == (char*)-1 && sbrk(0) == p);
}

static void
exhaust(void)
{
  int status, pid = fork();

  CHECK(pid >= 0);
  if(pid == 0){
    while(sbrk(16*PGSIZE) != (char*)-1)
      ;
    // A new process needs more than what is left.
    CHECK(fork() == -1);
    exit(5);
  }
  wait(&status);
  CHECK(status == 5);
}

static void
kernelmemory(void)
{
  for(uint64 a = KERNBASE; a < KERNBASE + 8*1000000; a += 1000000){
    touched = (char*)a;
    CHECK(child(look) == -1);
  }
}

static void trampoline(void) { touched = (char*)TRAMPOLINE; CHECK(child(look) == -1); }
static void nowhere(void) { touched = (char*)0x2000000000; CHECK(child(touch) == -1); }
static void textwrite(void) { touched = (char*)0; CHECK(child(touch) == -1); }

static void
guardpage(void)
{
  // The stack is one page; below it lies one that nobody may touch.
  touched = (char*)PGROUNDDOWN((uint64)__builtin_frame_address(0)) - 8;
  CHECK(child(touch) == -1);
}

static char zeros[10000];

static void
bss(void)
{
  for(uint i = 0; i < sizeof(zeros); i++)
    CHECK(zeros[i] == 0);
}

static void
allocate(void)
{
  void *all[50];

  for(int round = 0; round < 3; round++){
    for(int i = 0; i < 50; i++){
      all[i] = malloc(i * 100 + 1);
      CHECK(all[i] != 0);
      memset(all[i], i, i * 100 + 1);
    }
    for(int i = 0; i < 50; i++){
      CHECK(((char*)all[i])[i * 100] == i);
      free(all[i]);
    }
  }
}

static void
copyonfork(void)
{
  static int value = 1;
  int pid = fork();

  if(pid == 0){
    value = 2;
    exit(0);
  }
  wait(0);
  CHECK(value == 1);
}

// ---- processes -------------------------------------------------------------------

static void
status(void)
{
  for(int i = 0; i < 50; i++){
    int s, pid = fork();
    if(pid == 0)
      exit(i);
    CHECK(wait(&s) == pid && s == i);
  }
  CHECK(wait(0) == -1);
}

static void
pids(void)
{
  int me = getpid(), pid = fork();

  if(pid == 0)
    exit(getpid() == me);
  int s;
  wait(&s);
  CHECK(s == 0 && getpid() == me);
}

static void
manychildren(void)
{
  int n = 0;

  while(n < 2*NPROC){
    int pid = fork();
    if(pid < 0)
      break;
    if(pid == 0)
      exit(0);
    n++;
  }
  CHECK(n > 0 && n < NPROC);
  for(int i = 0; i < n; i++)
    CHECK(wait(0) > 0);
  CHECK(wait(0) == -1);
}

static void
orphans(void)
{
  for(int i = 0; i < 30; i++){
    int pid = fork();
    CHECK(pid >= 0);
    if(pid == 0){
      fork();
      fork();
      exit(0);
    }
    CHECK(wait(0) == pid);
  }
}

static void forever(void) { for(;;) ; }
static void sleeper(void) { sleep(100000); }
static void reader(void) { int fds[2]; pipe(fds); read(fds[0], buf, 1); }
static void waiter(void) { if(fork() == 0){ sleep(3); exit(0); } wait(0); sleep(100000); }

static void
killin(void (*work)(void))
{
  int s, pid = fork();

  CHECK(pid >= 0);
  if(pid == 0){
    work();
    exit(0);
  }
  sleep(1);
  CHECK(kill(pid) == 0);
  CHECK(wait(&s) == pid && s == -1);
}

static void killloop(void) { killin(forever); }
static void killsleep(void) { killin(sleeper); }
static void killpipe(void) { killin(reader); }
static void killwait(void) { killin(waiter); }

static void
preempt(void)
{
  int pids[3], fds[2];

  pipe(fds);
  for(int i = 0; i < 3; i++){
    pids[i] = fork();
    if(pids[i] == 0){
      if(i == 2)
        write(fds[1], "x", 1);
      forever();
    }
  }
  CHECK(read(fds[0], buf, 1) == 1);  // the third ran although the others never stop
  for(int i = 0; i < 3; i++)
    kill(pids[i]);
  for(int i = 0; i < 3; i++)
    wait(0);
}

static void
ticks(void)
{
  int t = uptime();

  CHECK(sleep(2) == 0);
  CHECK(uptime() - t >= 2);
}

static void
forktwice(void)
{
  for(int i = 0; i < 100; i++){
    int a = fork();
    if(a == 0)
      exit(0);
    int b = fork();
    if(b == 0)
      exit(0);
    CHECK(a > 0 && b > 0 && wait(0) > 0 && wait(0) > 0);
  }
}

// ---- exec --------------------------------------------------------------------------

static void
exececho(void)
{
  char *argv[] = { "echo", "all", "is", "well", 0 };
  int pid = fork();

  if(pid == 0){
    close(1);
    CHECK(open("exececho", O_CREATE | O_WRONLY) == 1);
    exec("echo", argv);
    exit(1);
  }
  wait(0);
  int fd = open("exececho", O_RDONLY);
  CHECK(read(fd, buf, 100) == 12 && memcmp(buf, "all is well\n", 12) == 0);
  unlink("exececho");
}

static void
execmissing(void)
{
  char *argv[] = { "nothing", 0 };

  CHECK(exec("nothing", argv) == -1);
  CHECK(exec("", argv) == -1);
  CHECK(exec("README", argv) == -1);  // no ELF file
  CHECK(exec(".", argv) == -1);
}

static void
execlong(void)
{
  char *argv[MAXARG + 2];
  static char huge[PGSIZE + 1];

  for(int i = 0; i <= MAXARG; i++)
    argv[i] = "x";
  argv[MAXARG + 1] = 0;
  CHECK(exec("echo", argv) == -1);
  memset(huge, 'y', PGSIZE);
  argv[0] = huge;
  argv[1] = 0;
  CHECK(exec("echo", argv) == -1);
}

static void
execcut(void)
{
  int from = open("echo", O_RDONLY), to = make("execcut", "");
  char *argv[] = { "execcut", 0 };
  int n = read(from, buf, 200);

  CHECK(n == 200 && write(to, buf, n) == n);
  close(to);
  CHECK(exec("execcut", argv) == -1);
  unlink("execcut");
}

// ---- pipes and descriptors ---------------------------------------------------------

static void
pipes(void)
{
  int fds[2], total = 0, n;

  CHECK(pipe(fds) == 0);
  if(fork() == 0){
    close(fds[0]);
    for(int i = 0; i < 5; i++){
      for(int k = 0; k < 1033; k++)
        buf[k] = i * 1033 + k;
      CHECK(write(fds[1], buf, 1033) == 1033);
    }
    exit(0);
  }
  close(fds[1]);
  while((n = read(fds[0], buf, 500)) > 0)
    for(int i = 0; i < n; i++)
      CHECK((buf[i] & 0xff) == (total++ & 0xff));
  CHECK(total == 5*1033);
  wait(0);
}

static void
brokenpipe(void)
{
  int fds[2];

  pipe(fds);
  close(fds[0]);
  CHECK(write(fds[1], "x", 1) == -1);
  pipe(fds);
  close(fds[1]);
  CHECK(read(fds[0], buf, 1) == 0);
}

static void
sharedoffset(void)
{
  int fd = make("shared", "");

  for(int i = 0; i < 2; i++)
    if(fork() == 0){
      for(int k = 0; k < 50; k++)
        CHECK(write(fd, i ? "b" : "a", 1) == 1);
      exit(0);
    }
  wait(0);
  wait(0);
  struct stat st;
  CHECK(fstat(fd, &st) == 0 && st.size == 100);
  unlink("shared");
}

static void
duplicate(void)
{
  int fd = open("README", O_RDONLY), again = dup(fd);

  CHECK(again == fd + 1 && read(fd, buf, 5) == 5 && read(again, buf + 5, 5) == 5);
  close(fd);
  CHECK(read(again, buf, 5) == 5);
}

static void
toomanyfiles(void)
{
  int n = 0;

  while(open("README", O_RDONLY) >= 0)
    n++;
  CHECK(n == NOFILE - 3);
  CHECK(dup(0) == -1);
  int fds[2];
  CHECK(pipe(fds) == -1);
  close(5);
  CHECK(pipe(fds) == -1);  // only one place is free
}

// ---- files -----------------------------------------------------------------------------

static void
smallfile(void)
{
  int fd = make("small", "hello");

  close(fd);
  fd = open("small", O_RDONLY);
  CHECK(read(fd, buf, 100) == 5 && read(fd, buf, 100) == 0);
  CHECK(write(fd, "x", 1) == -1);
  close(fd);
  CHECK(unlink("small") == 0 && open("small", O_RDONLY) == -1);
}

static void
bigfile(void)
{
  int fd = make("big", "");
  uint i;

  for(i = 0; i < MAXFILE; i++){
    memset(buf, i, BSIZE);
    if(write(fd, buf, BSIZE) != BSIZE)
      break;
  }
  CHECK(i == MAXFILE && write(fd, buf, BSIZE) <= 0);
  close(fd);
  fd = open("big", O_RDONLY);
  for(i = 0; i < MAXFILE; i++)
    CHECK(read(fd, buf, BSIZE) == BSIZE && buf[0] == (char)i && buf[BSIZE-1] == (char)i);
  unlink("big");
}

static void
truncate(void)
{
  close(make("trunc", "abcdef"));
  int reader = open("trunc", O_RDONLY);
  CHECK(read(reader, buf, 2) == 2);
  close(open("trunc", O_WRONLY | O_TRUNC));
  CHECK(read(reader, buf, 10) == 0);
  unlink("trunc");
}

static void
openflags(void)
{
  CHECK(open("nothing", O_RDONLY) == -1);
  int fd = open("flags", O_CREATE | O_WRONLY);
  CHECK(fd >= 0 && read(fd, buf, 1) == -1);
  close(fd);
  CHECK(open(".", O_WRONLY) == -1 && open(".", O_RDONLY) >= 0);
  unlink("flags");
}

static void
unlinkopen(void)
{
  int fd = make("gone", "hello");

  CHECK(unlink("gone") == 0);
  close(make("gone", "other"));
  CHECK(write(fd, "!", 1) == 1);
  close(fd);
  fd = open("gone", O_RDONLY);
  CHECK(read(fd, buf, 10) == 5 && memcmp(buf, "other", 5) == 0);
  unlink("gone");
}

static void
links(void)
{
  struct stat st;

  close(make("one", "text"));
  CHECK(link("one", "two") == 0 && link("one", "two") == -1);
  CHECK(unlink("one") == 0 && stat("two", &st) == 0 && st.nlink == 1);
  CHECK(link("two", "two") == -1 && link("nothing", "x") == -1 && link(".", "x") == -1);
  CHECK(unlink("two") == 0);
}

static void
longname(void)
{
  CHECK(mkdir("12345678901234") == 0);
  CHECK(mkdir("12345678901234/inner") == 0);
  CHECK(mkdir("123456789012345") == -1);  // cut to the same fourteen letters
  CHECK(unlink("12345678901234/inner") == 0 && unlink("12345678901234") == 0);
}

// The name of file number i, of 0 to 99; good until the next call.
static char*
numbered(int i)
{
  static char name[] = "n00";

  name[1] = '0' + i / 10;
  name[2] = '0' + i % 10;
  return name;
}

static void
makefiles(int count, int blocks)
{
  for(int i = 0; i < count; i++){
    int fd = make(numbered(i), "");
    for(int k = 0; k < blocks; k++)
      CHECK(write(fd, buf, BSIZE) == BSIZE);
    close(fd);
  }
}

static void
removefiles(int count)
{
  for(int i = 0; i < count; i++)
    CHECK(unlink(numbered(i)) == 0);
}

static void
manyfiles(void)
{
  makefiles(60, 1);
  removefiles(60);
}

static uint
inumber(int fd)
{
  struct stat st;

  CHECK(fstat(fd, &st) == 0);
  return st.ino;
}

static void
delay(int n)
{
  for(volatile int i = 0; i < n * 4; i++)
    ;
}

// Two processes drop the last two references of a file without a name, at the
// same time: one of them has to free it.
static void
lastclose(void)
{
  uint first = 0;

  for(int round = 0; round < 20; round++){
    int fd[2][5];
    for(int i = 0; i < 5; i++){
      fd[0][i] = make("last", "x");
      fd[1][i] = open("last", O_RDONLY);
      if(round == 0 && i == 0)
        first = inumber(fd[0][0]);
      unlink("last");
    }
    int pid = fork(), mine = pid == 0;
    for(int i = 0; i < 5; i++)
      close(fd[1 - mine][i]);
    for(int start = uptime(); uptime() == start; )
      ;   // the next tick is the signal for both
    for(int i = 0; i < 5; i++){
      delay(mine ? round : 20 - round);   // in step, and ahead of each other
      close(fd[mine][i]);
    }
    if(pid == 0)
      exit(0);
    wait(0);
  }
  // A new file gets the lowest number that is free.
  int fd = make("last", "x");
  CHECK(inumber(fd) == first);
  unlink("last");
}

// Runs `work(i)` in `count` processes, all of which are there before the first
// gets through its waitforall(). All have to return.
static int started[2], go[2];

static void
waitforall(void)
{
  char c = 0;

  CHECK(write(started[1], &c, 1) == 1);
  CHECK(read(go[0], &c, 1) == 0);   // until nobody has go[1] open
}

static void
together(int count, void (*work)(int))
{
  char c;
  int s;

  CHECK(pipe(started) == 0 && pipe(go) == 0);
  for(int i = 0; i < count; i++){
    int pid = fork();
    CHECK(pid >= 0);
    if(pid == 0){
      close(go[1]);
      work(i);
      exit(0);
    }
  }
  for(int i = 0; i < count; i++)
    CHECK(read(started[0], &c, 1) == 1);
  close(go[1]);
  for(int i = 0; i < count; i++)
    CHECK(wait(&s) > 0 && s == 0);
}

static void
openten(int i)
{
  for(int k = 0; k < 10; k++)
    CHECK(open(numbered(10*i + k), O_RDONLY) >= 0);
  waitforall();
}

// Almost as many open files as the kernel has room for, each another one.
static void
allopen(void)
{
  makefiles(90, 0);
  together(9, openten);
  removefiles(90);
}

static void
readown(int i)
{
  int fd = open(numbered(i), O_RDONLY);

  CHECK(fd >= 0);
  waitforall();
  for(int k = 0; k < 10; k++)
    CHECK(read(fd, buf, BSIZE) == BSIZE);
}

// Readers who all need another buffer of the cache at the same time.
static void
manyreaders(void)
{
  makefiles(40, 10);
  together(40, readown);
  removefiles(40);
}

static void
fourwriters(void)
{
  for(int i = 0; i < 4; i++)
    if(fork() == 0){
      char name[] = { 'w', '0' + i, 0 };
      int fd = make(name, "");
      memset(buf, '0' + i, 500);
      for(int k = 0; k < 12; k++)
        CHECK(write(fd, buf, 500) == 500);
      exit(0);
    }
  for(int i = 0; i < 4; i++){
    int s;
    wait(&s);
    CHECK(s == 0);
  }
  for(int i = 0; i < 4; i++){
    char name[] = { 'w', '0' + i, 0 };
    int fd = open(name, O_RDONLY), total = 0, n;
    while((n = read(fd, buf, sizeof(buf))) > 0)
      for(int k = 0; k < n; k++, total++)
        CHECK(buf[k] == '0' + i);
    CHECK(total == 6000);
    close(fd);
    unlink(name);
  }
}

static void
createrace(void)
{
  for(int i = 0; i < 4; i++)
    if(fork() == 0){
      for(int k = 0; k < 20; k++){
        int fd = open("race", O_CREATE | O_RDWR);
        if(fd >= 0)
          close(fd);
        link("race", "race2");
        unlink("race");
        unlink("race2");
      }
      exit(0);
    }
  while(wait(0) > 0)
    ;
  unlink("race");
  unlink("race2");
  CHECK(!exists("race") && !exists("race2"));
}

static void
console(void)
{
  CHECK(mknod("cons2", 1, 0) == 0 && mknod("cons2", 1, 0) == -1);
  int fd = open("cons2", O_RDWR);
  CHECK(fd >= 0 && write(fd, "", 0) == 0);
  CHECK(mknod("dev99", 99, 0) == 0 && open("dev99", O_RDWR) == -1);
  unlink("cons2");
  unlink("dev99");
}

// ---- directories -------------------------------------------------------------------------

static void
directories(void)
{
  CHECK(mkdir("dir") == 0 && mkdir("dir") == -1 && chdir("dir") == 0);
  close(make("inside", "x"));
  CHECK(chdir("..") == 0 && exists("dir/inside"));
  CHECK(unlink("dir") == -1);  // not empty
  CHECK(unlink("dir/inside") == 0 && unlink("dir") == 0);
}

static void
dots(void)
{
  mkdir("dots");
  CHECK(unlink("dots/.") == -1 && unlink("dots/..") == -1 && unlink(".") == -1 && unlink("/") == -1);
  CHECK(chdir("dots") == 0 && unlink(".") == -1 && chdir("/") == 0);
  CHECK(exists("dots/../README") && exists("./dots/.") && exists("////README"));
  CHECK(unlink("dots") == 0);
}

static void
fileasdir(void)
{
  close(make("plain", "x"));
  CHECK(chdir("plain") == -1 && open("plain/x", O_RDONLY) == -1 && open("plain/x", O_CREATE) == -1);
  CHECK(mkdir("plain/x") == -1 && unlink("plain/x") == -1 && link("README", "plain/x") == -1);
  CHECK(unlink("plain") == 0);
}

static void
subdirectories(void)
{
  CHECK(mkdir("a") == 0 && mkdir("a/b") == 0 && mkdir("a/b/c") == 0);
  close(make("a/b/c/file", "deep"));
  CHECK(chdir("a/b/c") == 0 && exists("../../b/c/file") && chdir("../../..") == 0);
  CHECK(unlink("a/b/c/file") == 0 && unlink("a/b/c") == 0 && unlink("a/b") == 0 && unlink("a") == 0);
}

static void
removedcwd(void)
{
  CHECK(mkdir("cwd") == 0 && chdir("cwd") == 0 && unlink("../cwd") == 0);
  CHECK(open("x", O_CREATE) == -1 && mkdir("x") == -1);
  CHECK(chdir("/") == 0);
}

// Out of a removed directory, when the one that ".." names is gone as well.
static void
removedparent(void)
{
  CHECK(mkdir("outer") == 0 && mkdir("outer/inner") == 0 && chdir("outer/inner") == 0);
  CHECK(unlink("/outer/inner") == 0 && unlink("/outer") == 0);
  CHECK(chdir("..") == -1 && open("../x", O_CREATE) == -1 && !exists(".."));
  CHECK(chdir("/") == 0);
}

static void
bigdirectory(void)
{
  char name[] = "x000";

  close(make("bd", "x"));
  for(int i = 0; i < 200; i++){
    name[1] = '0' + i / 100;
    name[2] = '0' + i / 10 % 10;
    name[3] = '0' + i % 10;
    CHECK(link("bd", name) == 0);
  }
  unlink("bd");
  for(int i = 0; i < 200; i++){
    name[1] = '0' + i / 100;
    name[2] = '0' + i / 10 % 10;
    name[3] = '0' + i % 10;
    CHECK(unlink(name) == 0);
  }
}

static void
fulldisk(void)
{
  char name[] = "full0";
  int full = 0;

  for(int i = 0; i < 9 && !full; i++){
    name[4] = '0' + i;
    int fd = open(name, O_CREATE | O_TRUNC | O_RDWR);
    if(fd < 0)
      break;
    for(uint k = 0; k < MAXFILE; k++)
      if(write(fd, buf, BSIZE) != BSIZE){
        full = 1;
        break;
      }
    close(fd);
  }
  for(int i = 0; i < 9; i++){
    name[4] = '0' + i;
    unlink(name);
  }
  CHECK(full);
  close(make("after", "there is room again"));
  unlink("after");
}

// ---- the shell ------------------------------------------------------------------------

// What the shell prints for a line of input.
static char*
shell(char *line)
{
  static char text[200];
  char *argv[] = { "sh", 0 };
  int in[2], out[2], n, length = 0;

  CHECK(pipe(in) == 0 && pipe(out) == 0);
  int pid = fork();
  CHECK(pid >= 0);
  if(pid == 0){
    close(0);
    dup(in[0]);
    close(1);
    dup(out[1]);
    close(2);
    dup(out[1]);
    for(int fd = 3; fd < NOFILE; fd++)
      close(fd);
    exec("sh", argv);
    exit(1);
  }
  close(in[0]);
  close(out[1]);
  write(in[1], line, strlen(line));
  close(in[1]);
  while((n = read(out[0], text + length, sizeof(text) - 1 - length)) > 0)
    length += n;
  text[length] = 0;
  close(out[0]);
  wait(0);
  return text;
}

// The end of a background command is not that of the one behind it.
static void
background(void)
{
  CHECK(strcmp(shell("echo x > bg & (zombie ; echo first) ; echo second\n"), "$ first\nsecond\n$ ") == 0);
  unlink("bg");
}

static void
syntax(void)
{
  char *missing = "$ sh: syntax error: a command is missing\n$ ";

  CHECK(strcmp(shell("| wc\n"), missing) == 0 && strcmp(shell("; echo a\n"), missing) == 0);
  CHECK(strcmp(shell("echo a (b) c\n"), "$ sh: syntax error: parentheses beside words\n$ ") == 0);
  CHECK(strcmp(shell("(echo a) b\n"), "$ sh: syntax error: parentheses beside words\n$ ") == 0);
  CHECK(strcmp(shell("(echo a\n"), "$ sh: missing )\n$ ") == 0);
  CHECK(strcmp(shell("echo a )\n"), "$ a\nsh: syntax error: ) without (\n$ ") == 0);
}

static struct test {
  char *name;
  void (*run)(void);
  int slow;
} tests[] = {
  { "badread", badread }, { "badwrite", badwrite }, { "badopen", badopen }, { "badunlink", badunlink },
  { "badlink", badlink }, { "badmkdir", badmkdir }, { "badpipe", badpipe }, { "badexec", badexec },
  { "badfstat", badfstat }, { "badwait", badwait }, { "badnumbers", badnumbers }, { "negative", negative },
  { "grow", grow }, { "shrink", shrink }, { "bytewise", bytewise }, { "toomuch", toomuch },
  { "kernelmemory", kernelmemory }, { "trampoline", trampoline }, { "nowhere", nowhere },
  { "textwrite", textwrite }, { "guardpage", guardpage }, { "bss", bss }, { "allocate", allocate },
  { "copyonfork", copyonfork },
  { "status", status }, { "pids", pids }, { "manychildren", manychildren }, { "orphans", orphans },
  { "killloop", killloop }, { "killsleep", killsleep }, { "killpipe", killpipe }, { "killwait", killwait },
  { "preempt", preempt }, { "ticks", ticks }, { "forktwice", forktwice },
  { "exececho", exececho }, { "execmissing", execmissing }, { "execlong", execlong }, { "execcut", execcut },
  { "pipes", pipes }, { "brokenpipe", brokenpipe }, { "sharedoffset", sharedoffset },
  { "duplicate", duplicate }, { "toomanyfiles", toomanyfiles },
  { "smallfile", smallfile }, { "bigfile", bigfile }, { "truncate", truncate }, { "openflags", openflags },
  { "unlinkopen", unlinkopen }, { "links", links }, { "longname", longname }, { "manyfiles", manyfiles },
  { "lastclose", lastclose }, { "allopen", allopen }, { "manyreaders", manyreaders },
  { "fourwriters", fourwriters }, { "createrace", createrace }, { "console", console },
  { "directories", directories }, { "dots", dots }, { "fileasdir", fileasdir },
  { "subdirectories", subdirectories }, { "removedcwd", removedcwd },
  { "removedparent", removedparent }, { "background", background }, { "syntax", syntax },
  { "exhaust", exhaust }, { "bigdirectory", bigdirectory }, { "fulldisk", fulldisk, 1 },
  { 0, 0 },
};

// Pages that a child can get before memory runs out.
static int
freepages(void)
{
  int fds[2], n = 0;

  CHECK(pipe(fds) == 0);
  if(fork() == 0){
    close(fds[0]);
    while(sbrk(PGSIZE) != (char*)-1)
      n++;
    write(fds[1], &n, sizeof(n));
    exit(0);
  }
  close(fds[1]);
  CHECK(read(fds[0], &n, sizeof(n)) == sizeof(n));
  close(fds[0]);
  wait(0);
  return n;
}

static int
run(struct test *t)
{
  int s, pid;

  printf("test %s: ", t->name);
  if((pid = fork()) < 0){
    printf("fork failed\n");
    return 1;
  }
  if(pid == 0){
    t->run();
    exit(0);
  }
  wait(&s);
  printf(s == 0 ? "OK\n" : "FAILED\n");
  return s != 0;
}

static struct test*
find(char *name)
{
  struct test *t = tests;

  while(t->name && strcmp(t->name, name) != 0)
    t++;
  return t->name ? t : 0;
}

// Runs the tests that are named, in that order; all that there are, if none is.
static int
runtests(char **names, int quick)
{
  int failed = 0;

  for(char **name = names; *name; name++)
    failed |= run(find(*name));
  for(struct test *t = tests; !names[0] && t->name; t++)
    if(!(quick && t->slow))
      failed |= run(t);
  return failed;
}

int
main(int argc, char **argv)
{
  int quick = argc == 2 && strcmp(argv[1], "-q") == 0;
  char **names = argv + 1 + quick;

  for(char **name = names; *name; name++)
    if(!find(*name)){
      printf("usertests: there is no test \"%s\"\n", *name);
      exit(1);
    }
  int before = freepages();
  printf("usertests starting\n");
  int failed = runtests(names, quick);
  int after = freepages();
  if(after < before){
    printf("usertests: %d pages were lost (%d before, %d after)\n", before - after, before, after);
    failed = 1;
  }
  printf(failed ? "SOME TESTS FAILED\n" : "ALL TESTS PASSED\n");
  exit(failed);
}
