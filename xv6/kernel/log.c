// Makes file system calls atomic against crashes.
//
// A call that changes the disk does so between begin_op() and end_op(), and
// calls log_write() where it would write a block. The changed blocks stay in
// the cache until no call is under way, and are then written together:
//
//   1. copy them to the log area of the disk
//   2. write the log header, which says how many there are, and whose
//   3. copy them to their homes
//   4. write a header that says "none"
//
// Step 2 is the one moment that counts, since the disk writes one block
// either wholly or not at all. A crash before it: the header says "none",
// and it is as if no call had happened. A crash after it: initlog() finds
// the header and does step 3, as often as it takes.
//
// A crash is that of this kernel or of QEMU. The disk's writes take effect in
// the order in which they were completed then; a host that loses power may
// forget some, because we ask for no flush (each would wait for a real disk).

#include "types.h"
#include "param.h"
#include "riscv.h"
#include "spinlock.h"
#include "sleeplock.h"
#include "fs.h"
#include "buf.h"
#include "defs.h"

// The header block, and its copy in memory. Log block i (at start + 1 + i)
// belongs at block[i]. n == 0: the log is empty.
struct logheader {
  int n;
  int block[LOGSIZE];
};

static struct {
  struct spinlock lock;   // guards all below, until committing is set
  uint dev;
  uint start;             // block number of the header
  int capacity;           // blocks it can hold
  int outstanding;        // calls between begin_op and end_op
  int committing;         // end_op is writing: wait
  struct logheader lh;
} log;

static void recover_from_log(void);

void
initlog(int dev, struct superblock *sb)
{
  if(sizeof(struct logheader) > BSIZE)
    panic("initlog: header larger than a block");

  initlock(&log.lock, "log");
  log.dev = dev;
  log.start = sb->logstart;
  log.capacity = sb->nlog - 1;   // one block is the header
  if(log.capacity > LOGSIZE)
    log.capacity = LOGSIZE;
  recover_from_log();
}

// Copies a block, on disk.
static void
copyblock(uint to, uint from)
{
  struct buf *src = bread(log.dev, from);
  struct buf *dst = bread(log.dev, to);

  memmove(dst->data, src->data, BSIZE);
  bwrite(dst);
  brelse(src);
  brelse(dst);
}

static uint
logblock(int i)
{
  return log.start + 1 + i;
}

static void
read_head(void)
{
  struct buf *b = bread(log.dev, log.start);

  memmove(&log.lh, b->data, sizeof(log.lh));
  brelse(b);
}

static void
write_head(void)
{
  struct buf *b = bread(log.dev, log.start);

  memmove(b->data, &log.lh, sizeof(log.lh));
  bwrite(b);
  brelse(b);
}

// Steps 3 and 4.
static void
install_trans(void)
{
  for(int i = 0; i < log.lh.n; i++)
    copyblock(log.lh.block[i], logblock(i));
  log.lh.n = 0;
  write_head();
}

// At boot: finish what a crash interrupted.
static void
recover_from_log(void)
{
  read_head();
  if(log.lh.n < 0 || log.lh.n > log.capacity)
    panic("recover_from_log: bad log header");
  install_trans();
}

// Step 1.
static void
write_log(void)
{
  for(int i = 0; i < log.lh.n; i++)
    copyblock(logblock(i), log.lh.block[i]);
}

// All four steps. No call is under way and none can begin, so the log needs
// no lock now (and must not have one: disk writes sleep).
static void
commit(void)
{
  struct logheader done = log.lh;

  if(done.n == 0)
    return;   // the calls changed nothing

  write_log();
  write_head();
  install_trans();

  // The homes are up to date: the cache may drop the blocks again.
  for(int i = 0; i < done.n; i++){
    struct buf *b = bread(log.dev, done.block[i]);
    bunpin(b);
    brelse(b);
  }
}

// Would one more call fit, if each that is under way writes the most it may?
static int
hasroom(void)
{
  return log.lh.n + (log.outstanding + 1) * MAXOPBLOCKS <= log.capacity;
}

// Begins a file system call.
void
begin_op(void)
{
  acquire(&log.lock);
  while(log.committing || !hasroom())
    sleep(&log, &log.lock);
  log.outstanding++;
  release(&log.lock);
}

// Ends a file system call. The last of those under way commits for all.
void
end_op(void)
{
  acquire(&log.lock);
  if(log.committing)
    panic("end_op: commit in progress");
  log.outstanding--;
  if(log.outstanding == 0){
    log.committing = 1;
    release(&log.lock);
    commit();
    acquire(&log.lock);
    log.committing = 0;
  }
  // Either the log is empty again, or this call's reserve has come free.
  wakeup(&log);
  release(&log.lock);
}

// In place of bwrite(): the caller has changed b and is done with it for
// now. Blocks that are changed several times take one place in the log.
void
log_write(struct buf *b)
{
  int i = 0;

  acquire(&log.lock);
  if(log.outstanding < 1)
    panic("log_write: no transaction");

  while(i < log.lh.n && log.lh.block[i] != b->blockno)
    i++;
  if(i == log.lh.n){
    if(log.lh.n >= log.capacity)
      panic("log_write: transaction too large");
    bpin(b);
    log.lh.block[i] = b->blockno;
    log.lh.n++;
  }
  release(&log.lock);
}
