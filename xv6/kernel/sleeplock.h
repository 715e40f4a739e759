// A lock for long sections, such as disk operations: waiting processes
// sleep, so other processes can run. See sleeplock.c.
struct sleeplock {
  struct spinlock lk;  // guards the fields below
  uint locked;         // 1 while held

  // For finding mistakes:
  char *name;
  int pid;             // the process that holds it
};
