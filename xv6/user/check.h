// What test programs have in common: checks, processes that hold on to
// memory, memory that runs out at a chosen place, and the list of tests.
// Include user/user.h first.

#define PAGE 4096
#define NONE ((char*)-1)        // sbrk() failed
#define CHECK(condition) check(condition, #condition, __FILE__, __LINE__)

static inline void
check(int ok, const char *what, const char *file, int line)
{
  if(ok)
    return;
  printf("%s:%d: not true: %s\n", file, line, what);
  exit(1);
}

static inline int
forked(void)
{
  int pid = fork();

  CHECK(pid >= 0);
  return pid;
}

// Waits for one child and returns its status; -1 if it was killed.
static inline int
waitstatus(void)
{
  int status;

  CHECK(wait(&status) > 0);
  return status;
}

static inline void
waitok(void)
{
  CHECK(waitstatus() == 0);
}

// Takes a few frames, stores into them, and gives them back: if shared
// memory was freed too early, it is among them.
static inline void
churn(void)
{
  char *p = sbrk(4 * PAGE);

  CHECK(p != NONE);
  memset(p, 7, 4 * PAGE);
  CHECK(sbrk(-4 * PAGE) != NONE);
}

// --- every order of letting go ---

// How a test gets shared memory (at least 32 ints, zero if nobody else has
// it), lets it go again, and sees that nobody has it any more.
struct sharing {
  volatile int *(*map)(void);
  void (*unmap)(void);
  void (*gone)(void);
};

// Answers 'y' as long as the memory holds what it should, until it is told
// to let go: by munmap, or only by exit.
static inline void
member(const struct sharing *s, volatile int *p, int ask, int answer, int unmaps)
{
  char c;

  while(read(ask, &c, 1) == 1 && c == '?'){
    c = *p == 42 ? 'y' : 'n';
    write(answer, &c, 1);
  }
  if(unmaps)
    s->unmap();
  write(answer, "d", 1);
  exit(0);
}

static inline void
tell(int ask, char command, int answer, char expected)
{
  char c;

  CHECK(write(ask, &command, 1) == 1);
  CHECK(read(answer, &c, 1) == 1);
  CHECK(c == expected);
}

// Three processes, each the parent of the next, let go in one order.
static inline void
letgo(const struct sharing *s, const char *order, int unmaps)
{
  int ask[3][2], answer[2];

  for(int i = 0; i < 3; i++)
    CHECK(pipe(ask[i]) == 0);
  CHECK(pipe(answer) == 0);

  if(forked() == 0){
    volatile int *p = s->map();
    *p = 42;
    int i = 0;
    while(i < 2 && forked() == 0)
      i++;
    member(s, p, ask[i][0], answer[1], unmaps);
  }
  close(answer[1]);             // so that read() returns if they die
  for(int i = 0; i < 3; i++){
    tell(ask[order[i] - '0'][1], 'q', answer[0], 'd');
    churn();
    for(int j = i + 1; j < 3; j++)
      tell(ask[order[j] - '0'][1], '?', answer[0], 'y');
  }
  waitok();
  s->gone();

  for(int i = 0; i < 3; i++){
    close(ask[i][0]);
    close(ask[i][1]);
  }
  close(answer[0]);
}

static inline void
everyorder(const struct sharing *s)
{
  static const char *orders[] = { "012", "021", "102", "120", "201", "210" };

  for(int i = 0; i < 6; i++){
    letgo(s, orders[i], 1);
    letgo(s, orders[i], 0);
  }
}

// --- no memory ---

// Processes that hold all memory there is.
struct hog {
  int ask, answer, hold;        // our ends of the pipes
};

static inline int
grab(int most)
{
  int n = 0;

  while(n < most && sbrk(PAGE) != NONE)
    n++;
  return n;
}

// Serves leave().
static inline void
hogserve(int ask, int answer)
{
  int n;

  while(read(ask, &n, sizeof(n)) == sizeof(n)){
    int got = grab(1 << 30);
    sbrk(-n * PAGE);
    write(answer, &got, sizeof(got));
  }
  exit(0);
}

// Leaves exactly n frames free; returns how many were free before.
static inline int
leave(struct hog *h, int n)
{
  int got;

  CHECK(write(h->ask, &n, sizeof(n)) == sizeof(n));
  CHECK(read(h->answer, &got, sizeof(got)) == sizeof(got));
  return got;
}

// Takes all memory. Three processes do, so that none of them grows to 64 MB,
// where a lab may have put something. They end when their pipes close.
static inline void
hogstart(struct hog *h)
{
  int ask[2], answer[2], hold[2];
  char c;

  CHECK(pipe(ask) == 0 && pipe(answer) == 0 && pipe(hold) == 0);
  for(int i = 0; i < 3; i++){
    if(forked() == 0){
      close(ask[1]);
      close(hold[1]);
      if(i == 2)
        hogserve(ask[0], answer[1]);
      int got = grab(12 * 1024);
      write(answer[1], &got, sizeof(got));
      read(hold[0], &c, 1);
      exit(0);
    }
  }
  for(int i = 0; i < 2; i++){
    int got;
    CHECK(read(answer[0], &got, sizeof(got)) == sizeof(got));
  }
  close(ask[0]);
  close(answer[1]);
  close(hold[0]);
  h->ask = ask[1];
  h->answer = answer[0];
  h->hold = hold[1];
}

static inline void
hogstop(struct hog *h)
{
  close(h->ask);
  close(h->answer);
  close(h->hold);
  for(int i = 0; i < 3; i++)
    waitok();
}

enum { DONE = 0, WRONG = 1, NOMEMORY = 2 };

// Something that needs memory: run() returns DONE or NOMEMORY, or is killed
// in a page fault that found no memory, if it may die so; `lazy` may need none.
// It runs in a process that has called prepare() before.
struct attempt {
  const char *name;
  void (*prepare)(void);
  int (*run)(void);
  int maydie, lazy;
};

// What an attempt at fork() is: `intact` has to hold in both processes.
static inline int
attemptfork(int (*intact)(void))
{
  int pid = fork();

  if(pid == 0)
    exit(intact() ? 0 : 1);
  if(pid > 0)
    waitok();
  CHECK(intact());
  return pid < 0 ? NOMEMORY : DONE;
}

// The same of exec(), by which this program begins again, to end at once with
// status 0 when its argument is "-exit".
static inline int
attemptexec(char *program, int (*intact)(void))
{
  char *argv[] = { program, "-exit", 0 };

  exec(program, argv);
  CHECK(intact());
  return NOMEMORY;
}

// Runs it in a child while n frames are free, or as many as there are if n
// is -1. When the child is gone, the frames that were free before must be.
static inline int
attempted(const struct attempt *a, struct hog *h, int n)
{
  enum { ROOM = 100 };          // enough for fork() and prepare()
  int go[2], ready[2], before = 0;
  char c;

  if(n >= 0)
    leave(h, ROOM);
  CHECK(pipe(go) == 0 && pipe(ready) == 0);
  if(forked() == 0){
    close(ready[0]);
    a->prepare();
    write(ready[1], "r", 1);
    CHECK(read(go[0], &c, 1) == 1);
    exit(a->run());
  }
  close(ready[1]);              // so that read() returns if the child dies
  int alive = read(ready[0], &c, 1);
  if(n >= 0)
    before = leave(h, n);
  if(alive == 1)
    write(go[1], "g", 1);
  int status = waitstatus();
  if(status == -1 && a->maydie)
    status = NOMEMORY;
  close(go[0]);
  close(go[1]);
  close(ready[0]);
  if(status != DONE && status != NOMEMORY){
    if(n < 0)
      printf("%s: wrong\n", a->name);
    else
      printf("%s with %d free frames: wrong\n", a->name, n);
    return WRONG;
  }
  // The two pipes took a frame each.
  int lost = n >= 0 ? n + ROOM - before - leave(h, ROOM) : 0;
  if(lost != 0){
    printf("%s with %d free frames: %d frames lost\n", a->name, n, lost);
    return WRONG;
  }
  return status;
}

// Runs each attempt with no free frame, with one, with two, until it has
// enough: so each kalloc() in it is once the one that fails. Ends with an
// attempt that has no name.
static inline void
everyfailure(const struct attempt *attempts)
{
  struct hog h;
  int status = DONE;

  for(const struct attempt *a = attempts; a->name; a++)
    CHECK(attempted(a, 0, -1) == DONE);
  hogstart(&h);
  for(const struct attempt *a = attempts; a->name && status == DONE; a++){
    int n = 0;
    while((status = attempted(a, &h, n)) == NOMEMORY && n < 100)
      n++;
    if(status == DONE && n == 0 && !a->lazy){
      printf("%s needs no memory\n", a->name);
      status = WRONG;
    }
  }
  hogstop(&h);
  CHECK(status == DONE);
}

// --- running them ---

struct test {
  const char *name;
  void (*run)(void);
};

static inline int
selected(int argc, char **argv, const char *name)
{
  for(int i = 1; i < argc; i++){
    if(strcmp(argv[i], name) == 0)
      return 1;
  }
  return argc == 1;
}

// Each test in a child of its own; without arguments, all of them. The child
// that came to the end of its test says so itself: what wait() tells is the
// kernel's word. Returns 0, or 1 if one failed.
static inline int
runtests(int argc, char **argv, const struct test *tests)
{
  int bad = 0;

  for(const struct test *t = tests; t->name; t++){
    if(!selected(argc, argv, t->name))
      continue;
    if(forked() == 0){
      t->run();
      printf("%s: OK\n", t->name);
      exit(0);
    }
    if(waitstatus() != 0){
      printf("%s: FAILED\n", t->name);
      bad = 1;
    }
  }
  return bad;
}
