// Open files: what read(), write() and close() do before it depends on the
// kind of file.

#include "types.h"
#include "param.h"
#include "riscv.h"
#include "spinlock.h"
#include "sleeplock.h"
#include "fs.h"
#include "file.h"
#include "stat.h"
#include "proc.h"
#include "defs.h"

struct devsw devsw[NDEV];

// The lock guards every ref.
static struct {
  struct spinlock lock;
  struct file file[NFILE];
} ftable;

void
fileinit(void)
{
  initlock(&ftable.lock, "ftable");
}

// Returns an unused entry with one reference, or 0.
struct file*
filealloc(void)
{
  struct file *found = 0;

  acquire(&ftable.lock);
  for(struct file *f = ftable.file; f < ftable.file + NFILE && !found; f++){
    if(f->ref == 0){
      f->ref = 1;
      found = f;
    }
  }
  release(&ftable.lock);
  return found;
}

// Adds n, 1 or -1, to the descriptors that refer to f; there must have been
// one. Copies the entry as it then is to *copy, unless copy is 0.
static void
addref(struct file *f, int n, struct file *copy)
{
  acquire(&ftable.lock);
  if(f->ref < 1)
    panic("file without a reference");
  f->ref += n;
  if(copy)
    *copy = *f;
  if(f->ref == 0)
    f->type = FD_NONE;
  release(&ftable.lock);
}

// One more descriptor refers to f.
struct file*
filedup(struct file *f)
{
  addref(f, 1, 0);
  return f;
}

// One descriptor less. The last one closes what is behind it.
void
fileclose(struct file *f)
{
  struct file old;

  // Closing can sleep, so it is done without the lock, by when the entry
  // may be in use again: hence the copy.
  addref(f, -1, &old);
  if(old.ref > 0)
    return;

  switch(old.type){
  case FD_PIPE:
    pipeclose(old.pipe, old.writable);
    break;
  case FD_INODE:
  case FD_DEVICE:
    begin_op();   // iput() may free the file on disk
    iput(old.ip);
    end_op();
    break;
  case FD_NONE:
    break;
  }
}

// fstat(): copies a struct stat to user address addr. 0, or -1.
int
filestat(struct file *f, uint64 addr)
{
  struct stat st;

  if(f->type != FD_INODE && f->type != FD_DEVICE)
    return -1;

  ilock(f->ip);
  stati(f->ip, &st);
  iunlock(f->ip);
  return copyout(myproc()->pagetable, addr, (char*)&st, sizeof(st));
}

static struct devsw*
driver(struct file *f)
{
  if(f->major < 0 || f->major >= NDEV)
    return 0;
  return &devsw[f->major];
}

// Reads at most n bytes to user address addr. The number read, or -1.
int
fileread(struct file *f, uint64 addr, int n)
{
  if(!f->readable)
    return -1;

  switch(f->type){
  case FD_PIPE:
    return piperead(f->pipe, addr, n);

  case FD_DEVICE: {
    struct devsw *d = driver(f);
    return d && d->read ? d->read(1, addr, n) : -1;
  }

  case FD_INODE: {
    // The inode's lock guards f->off too: two that share f read one after
    // the other, not the same bytes.
    ilock(f->ip);
    int got = readi(f->ip, 1, addr, f->off, n);
    if(got > 0)
      f->off += got;
    iunlock(f->ip);
    return got;
  }

  default:
    panic("fileread");
  }
}

// Writes n bytes to a file on disk, in portions whose blocks fit in the log.
static int
inodewrite(struct file *f, uint64 addr, int n)
{
  // Beside its data, a portion may change the inode and the indirect block,
  // 1 each; and if it does not begin at a block boundary, it touches one
  // block more. That one counts 2, and so does each other block, since for
  // each there may be another bitmap block to change. (A new indirect block
  // has its bit in one of those: the disk has fewer bitmap blocks than that.)
  int max = (MAXOPBLOCKS - 1 - 1 - 2) / 2 * BSIZE;
  int done = 0;

  while(done < n){
    int want = n - done < max ? n - done : max;

    begin_op();
    ilock(f->ip);
    int put = writei(f->ip, 1, addr + done, f->off, want);
    if(put > 0)
      f->off += put;
    iunlock(f->ip);
    end_op();

    if(put != want)
      return -1;   // disk full, file too long, or bad address
    done += put;
  }
  return n;
}

// Writes n bytes from user address addr. The number written, or -1.
int
filewrite(struct file *f, uint64 addr, int n)
{
  if(!f->writable)
    return -1;

  switch(f->type){
  case FD_PIPE:
    return pipewrite(f->pipe, addr, n);

  case FD_DEVICE: {
    struct devsw *d = driver(f);
    return d && d->write ? d->write(1, addr, n) : -1;
  }

  case FD_INODE:
    return inodewrite(f, addr, n);

  default:
    panic("filewrite");
  }
}
