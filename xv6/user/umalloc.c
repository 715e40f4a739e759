// malloc and free: one list of free blocks in address order, first fit.
// Neighbours are joined when a block comes back, so that memory does not fall
// apart into pieces; the heap grows by whole pages and never shrinks.

#include "kernel/types.h"
#include "user/user.h"

struct block {
  uint64 size;         // bytes, this header included; a multiple of 16
  struct block *next;  // the next free block, while this one is free
};

// At least this much is asked of the kernel at a time.
#define GROWTH (16*4096)

static struct block *freelist;

static uint64
round_up(uint64 n)
{
  return (n + sizeof(struct block) + 15) & ~15UL;
}

// Puts a block back at its place and joins it with its neighbours.
static void
insert(struct block *b)
{
  struct block **link = &freelist;

  while(*link && *link < b && (char*)*link + (*link)->size != (char*)b)
    link = &(*link)->next;
  if(*link && *link < b){
    // *link ends where b begins.
    struct block *before = *link;
    before->size += b->size;
    b = before;
  } else {
    b->next = *link;
    *link = b;
  }
  if(b->next && (char*)b + b->size == (char*)b->next){
    b->size += b->next->size;
    b->next = b->next->next;
  }
}

static int
morecore(uint64 size)
{
  uint64 n = size < GROWTH ? GROWTH : size;

  if(n > 0x7fffffff)
    return -1;
  char *p = sbrk(n);
  if(p == (char*)-1)
    return -1;
  struct block *b = (struct block*)p;
  b->size = n & ~15UL;
  insert(b);
  return 0;
}

void*
malloc(uint n)
{
  uint64 size = round_up(n);

  for(;;){
    for(struct block **link = &freelist; *link; link = &(*link)->next){
      struct block *b = *link;
      if(b->size < size)
        continue;
      if(b->size - size >= 2*sizeof(struct block)){
        // The end of the block is handed out; its front stays in the list.
        b->size -= size;
        b = (struct block*)((char*)b + b->size);
        b->size = size;
      } else {
        *link = b->next;
      }
      return b + 1;
    }
    if(morecore(size) < 0)
      return 0;
  }
}

void
free(void *p)
{
  if(p)
    insert((struct block*)p - 1);
}
