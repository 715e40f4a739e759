// A program whose debug information has one of everything that the readers know. Built by record.ts; never run.
typedef unsigned long uint64;
typedef unsigned long *table_t;
enum state { IDLE, BUSY = 5, DONE };
union word { uint64 whole; unsigned int half[2]; };
struct inner { int id; struct node *next; };
struct node {
  char name[16];
  enum state state;
  struct { int x, y; };
  union word word;
  struct inner family[3];
  unsigned low : 3, high : 13;
  table_t table;
  int (*call)(struct node *, int);
};
struct node nodes[4];
static struct { int lock; struct node *head; } list;
int counter = 7;
const uint64 layout[] = {
  sizeof(struct node),
  __builtin_offsetof(struct node, name), __builtin_offsetof(struct node, state),
  __builtin_offsetof(struct node, x), __builtin_offsetof(struct node, y),
  __builtin_offsetof(struct node, word), __builtin_offsetof(struct node, family),
  __builtin_offsetof(struct node, table), __builtin_offsetof(struct node, call),
  sizeof(struct inner), __builtin_offsetof(struct inner, next),
};
static inline __attribute__((always_inline)) int twice(int v) {
  int w = v + counter;
  return w * 2;
}
static inline __attribute__((always_inline)) int four(int v) {
  return twice(v) + twice(v + 1);
}
static __attribute__((noinline)) int sum(struct node *n, int count) {
  int total = 0;
  for (int i = 0; i < count; i++) {
    int part = n[i].family[1].id;
    total += part;
  }
  return total;
}
__attribute__((noinline)) int work(int a, int b) {
  volatile int here = a;
  list.head = &nodes[b & 3];
  list.head->call = sum;
  list.lock++;
  int r = four(here) + sum(list.head, b);
  return r + list.head->call(nodes, 2);
}
void main(void) {
  nodes[1].state = work(3, 4) ? BUSY : DONE;
  for (;;) ;
}
