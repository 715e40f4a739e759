// A lock for short sections: waiting harts spin. See spinlock.c.
struct spinlock {
  uint locked;       // 1 while held

  // For finding mistakes:
  char *name;
  struct cpu *cpu;   // the hart that holds it
};
