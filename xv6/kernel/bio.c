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
// use longest. Returns it locked; the content may still have to be read.
static struct buf*
bget(uint dev, uint blockno)
{
  struct buf *oldest = 0;
  struct buf *b;

  // Both the search and the take-over under one lock: two processes that
  // want the same block must end up with the same buffer.
  acquire(&bcache.lock);
  for(b = bcache.buf; b < bcache.buf + NBUF; b++){
    if(b->dev == dev && b->blockno == blockno)
      break;
    if(b->refcnt == 0 && (oldest == 0 || b->lastuse < oldest->lastuse))
      oldest = b;
  }

  if(b == bcache.buf + NBUF){
    if(oldest == 0)
      panic("bget: no buffers");
    b = oldest;
    b->dev = dev;
    b->blockno = blockno;
    b->valid = 0;
  }
  b->refcnt++;   // from here on nobody takes it over
  release(&bcache.lock);

  acquiresleep(&b->lock);
  return b;
}

// Returns a locked buffer with the content of the block.
struct buf*
bread(uint dev, uint blockno)
{
  struct buf *b = bget(dev, blockno);

  if(!b->valid){
    virtio_disk_rw(b, 0);
    b->valid = 1;
  }
  return b;
}

// Writes the buffer to disk, now. It must be locked.
void
bwrite(struct buf *b)
{
  if(!holdingsleep(&b->lock))
    panic("bwrite");
  virtio_disk_rw(b, 1);
}

// Ends the caller's use of a locked buffer.
void
brelse(struct buf *b)
{
  if(!holdingsleep(&b->lock))
    panic("brelse");
  releasesleep(&b->lock);

  acquire(&bcache.lock);
  b->refcnt--;
  b->lastuse = ++bcache.clock;
  release(&bcache.lock);
}

// Keeps the buffer in the cache though nobody uses it: the log needs that
// for blocks which are changed but not yet on disk.
void
bpin(struct buf *b)
{
  acquire(&bcache.lock);
  b->refcnt++;
  release(&bcache.lock);
}

void
bunpin(struct buf *b)
{
  acquire(&bcache.lock);
  b->refcnt--;
  release(&bcache.lock);
}
