// The buffer cache: copies of disk blocks in memory. There is at most one
// copy of a block, so its lock is the lock of the block itself.
//
// bread() returns a locked buffer with the block's content; change it and
// call log_write() (or bwrite(), which only the log should); then brelse().

#include "types.h"
#include "param.h"
#include "riscv.h"
#include "spinlock.h"
#include "sleeplock.h"
#include "fs.h"
#include "buf.h"
#include "defs.h"

// The lock guards who is who: dev, blockno, refcnt and lastuse of every
// buffer. Each buffer's own lock guards its content.
// Order: a buffer's lock is taken after bcache.lock has been released.
static struct {
  struct spinlock lock;
  uint64 clock;             // counts releases, to tell old from new
  int waiting;              // processes that need a buffer and found none
  struct buf buf[NBUF];
} bcache;

void
binit(void)
{
  initlock(&bcache.lock, "bcache");
  for(struct buf *b = bcache.buf; b < bcache.buf + NBUF; b++)
    initsleeplock(&b->lock, "buffer");
}

// Finds the buffer of a block, or takes over the one that has been out of
// use longest. Returns 0 if all are in use. Caller holds bcache.lock.
static struct buf*
findbuf(uint dev, uint blockno)
{
  struct buf *oldest = 0;

  for(struct buf *b = bcache.buf; b < bcache.buf + NBUF; b++){
    if(b->dev == dev && b->blockno == blockno)
      return b;
    if(b->refcnt == 0 && (!oldest || b->lastuse < oldest->lastuse))
      oldest = b;
  }
  if(oldest){
    oldest->valid = 0;   // what it holds is another block's content
    oldest->dev = dev;
    oldest->blockno = blockno;
  }
  return oldest;
}

// Returns the buffer of a block, locked; the content may still have to be
// read. Sleeps while all buffers are in use, which ends: a holder of one
// continues without a second one, but for the writers, and for those and the
// log there are enough (see NBUF).
static struct buf*
bget(uint dev, uint blockno)
{
  struct buf *b;

  // Both the search and the take-over under one lock: two processes that
  // want the same block must end up with the same buffer.
  acquire(&bcache.lock);
  while((b = findbuf(dev, blockno)) == 0){
    bcache.waiting++;
    sleep(&bcache, &bcache.lock);
    bcache.waiting--;
  }
  b->refcnt++;           // from here on nobody takes it over
  release(&bcache.lock);

  acquiresleep(&b->lock);
  return b;
}

// Adds n, 1 or -1, to the number of reasons to keep the buffer's block.
static void
addref(struct buf *b, int n)
{
  acquire(&bcache.lock);
  b->refcnt += n;
  b->lastuse = ++bcache.clock;
  if(b->refcnt == 0 && bcache.waiting)
    wakeup(&bcache);
  release(&bcache.lock);
}

// Returns a locked buffer with the content of the block.
struct buf*
bread(uint dev, uint blockno)
{
  struct buf *found = bget(dev, blockno);

  if(found->valid)
    return found;
  virtio_disk_rw(found, 0);
  found->valid = 1;
  return found;
}

// Content may only be looked at, changed or written by the one who has the
// lock. `who` is the function that has been called without it.
static void
mustown(struct buf *b, char *who)
{
  if(!holdingsleep(&b->lock))
    panic(who);
}

// Writes the buffer to disk, now. It must be locked.
void
bwrite(struct buf *b)
{
  mustown(b, "bwrite");
  virtio_disk_rw(b, 1);
}

// Ends the caller's use of a locked buffer.
void
brelse(struct buf *b)
{
  mustown(b, "brelse");
  releasesleep(&b->lock);
  addref(b, -1);
}

// Keeps the buffer in the cache though nobody uses it: the log needs that
// for blocks which are changed but not yet on disk.
void
bpin(struct buf *b)
{
  addref(b, 1);
}

void
bunpin(struct buf *b)
{
  addref(b, -1);
}
