// The file system, from the bottom up:
//   blocks       which blocks of the disk are in use
//   inodes       files without names: type, length, blocks
//   content      reading and writing a file's bytes
//   directories  inodes whose content is a list of names and inode numbers
//   paths        /usr/rtm/xv6/fs.c
//
// Everything here that writes must run between begin_op() and end_op().

#include "types.h"
#include "param.h"
#include "riscv.h"
#include "stat.h"
#include "spinlock.h"
#include "sleeplock.h"
#include "proc.h"
#include "fs.h"
#include "buf.h"
#include "file.h"
#include "defs.h"

#define min(a, b) ((a) < (b) ? (a) : (b))

// There is one disk, hence one super block.
struct superblock sb;

static void ireclaim(int dev);

static void
readsb(int dev)
{
  struct buf *b = bread(dev, 1);

  memmove(&sb, b->data, sizeof(sb));
  brelse(b);
}

// Reads the super block, repairs what a crash left behind.
void
fsinit(int dev)
{
  readsb(dev);
  if(sb.magic != FSMAGIC)
    panic("fsinit: bad magic number");
  initlog(dev, &sb);
  ireclaim(dev);
}

// --- blocks ---

static void
bzero(uint dev, uint blockno)
{
  struct buf *b = bread(dev, blockno);

  memset(b->data, 0, BSIZE);
  log_write(b);
  brelse(b);
}

// Finds a clear bit among the first n of a bitmap block and sets it.
// Returns its number, or -1.
static int
takebit(struct buf *b, int n)
{
  for(int i = 0; i < n; i++){
    uchar mask = 1 << (i % 8);
    if((b->data[i/8] & mask) == 0){
      b->data[i/8] |= mask;
      return i;
    }
  }
  return -1;
}

// Allocates a block, full of zeros. Returns its number, or 0 if the disk
// is full (block 0 is never free, so 0 is no valid answer).
static uint
balloc(uint dev)
{
  for(uint base = 0; base < sb.size; base += BPB){
    // The buffer's lock makes finding and setting a bit one step.
    struct buf *b = bread(dev, BBLOCK(base, sb));
    int i = takebit(b, min(BPB, sb.size - base));
    if(i >= 0)
      log_write(b);
    brelse(b);
    if(i >= 0){
      bzero(dev, base + i);
      return base + i;
    }
  }
  printf("balloc: out of blocks\n");
  return 0;
}

static void
bfree(uint dev, uint blockno)
{
  struct buf *b = bread(dev, BBLOCK(blockno, sb));
  int i = blockno % BPB;
  uchar mask = 1 << (i % 8);

  if((b->data[i/8] & mask) == 0)
    panic("bfree: block is free");
  b->data[i/8] &= ~mask;
  log_write(b);
  brelse(b);
}

// --- inodes ---
//
// On disk an inode is in use if its type is not 0, and should be freed when
// no directory entry names it (nlink 0). In memory, the table holds those
// that somebody has a pointer to (ref > 0): open files, current
// directories, and the ones that a path look-up is passing through.
//
// The steps of using one:
//   iget, namei...  get a pointer: ref++, the entry cannot be reused
//   ilock           wait for exclusive use, and read it from disk if needed
//   iunlock         others may use it
//   iput            drop the pointer: ref--
// They are separate so that a file can be open for long while it is locked
// only briefly, and so that path look-up can hold a pointer to one
// directory while it locks the next.
//
// itable.lock guards ref, dev and inum of all entries; the inode's own
// lock guards all else. A change to a field that is also on disk must be
// followed by iupdate().

static struct {
  struct spinlock lock;
  struct inode inode[NINODE];
} itable;

void
iinit(void)
{
  initlock(&itable.lock, "itable");
  for(int i = 0; i < NINODE; i++)
    initsleeplock(&itable.inode[i].lock, "inode");
}

// Where inode inum is within its disk block.
static struct dinode*
dinodeat(struct buf *b, uint inum)
{
  return (struct dinode*)b->data + inum % IPB;
}

// Returns the table entry of an inode, with one more reference. Does not
// lock it, nor read it from disk. There is always an entry to be had (see
// NINODE).
static struct inode*
iget(uint dev, uint inum)
{
  struct inode *hit = 0, *unused = 0;

  acquire(&itable.lock);
  for(int i = 0; i < NINODE && !hit; i++){
    struct inode *ip = &itable.inode[i];
    if(ip->ref == 0)
      unused = unused ? unused : ip;
    else if(ip->inum == inum && ip->dev == dev)
      hit = ip;
  }

  if(!hit){
    if(!unused)
      panic("iget: inode table full");
    hit = unused;
    hit->valid = 0;   // ilock() will read it
    hit->inum = inum;
    hit->dev = dev;
  }
  hit->ref++;
  release(&itable.lock);
  return hit;
}

// Allocates an inode on disk: marks it as used by giving it a type.
// Returns a reference to it, unlocked, or 0 if there is none left.
struct inode*
ialloc(uint dev, short type)
{
  for(uint inum = ROOTINO; inum < sb.ninodes; inum++){
    struct buf *b = bread(dev, IBLOCK(inum, sb));
    struct dinode *d = dinodeat(b, inum);
    int unused = d->type == 0;
    if(unused){
      memset(d, 0, sizeof(*d));
      d->type = type;
      log_write(b);
    }
    brelse(b);
    if(unused)
      return iget(dev, inum);
  }
  printf("ialloc: no inodes\n");
  return 0;
}

// Writes the inode's fields to disk. Caller holds ip->lock.
void
iupdate(struct inode *ip)
{
  struct buf *b = bread(ip->dev, IBLOCK(ip->inum, sb));
  struct dinode *d = dinodeat(b, ip->inum);

  d->type = ip->type;
  d->major = ip->major;
  d->minor = ip->minor;
  d->nlink = ip->nlink;
  d->size = ip->size;
  memmove(d->addrs, ip->addrs, sizeof(d->addrs));
  log_write(b);
  brelse(b);
}

// The opposite of iupdate().
static void
ifetch(struct inode *ip)
{
  struct buf *b = bread(ip->dev, IBLOCK(ip->inum, sb));
  struct dinode *d = dinodeat(b, ip->inum);

  ip->type = d->type;
  ip->major = d->major;
  ip->minor = d->minor;
  ip->nlink = d->nlink;
  ip->size = d->size;
  memmove(ip->addrs, d->addrs, sizeof(ip->addrs));
  brelse(b);
}

// One more reference. Returns ip, for "x = idup(y)".
struct inode*
idup(struct inode *ip)
{
  acquire(&itable.lock);
  ip->ref++;
  release(&itable.lock);
  return ip;
}

// Waits for exclusive use of an inode, and makes sure that it has been read.
void
ilock(struct inode *ip)
{
  if(!ip || ip->ref == 0)
    panic("ilock");

  acquiresleep(&ip->lock);
  if(ip->valid)
    return;
  ifetch(ip);
  if(ip->type == 0)
    panic("ilock: inode not on disk");
  ip->valid = 1;
}

void
iunlock(struct inode *ip)
{
  if(!ip || ip->ref == 0 || !holdingsleep(&ip->lock))
    panic("iunlock");
  releasesleep(&ip->lock);
}

// Frees an inode that has neither a name nor a second user, on disk too.
static void
ifree(struct inode *ip)
{
  acquiresleep(&ip->lock);
  itrunc(ip);
  ip->type = 0;      // what "unused" means on disk
  iupdate(ip);
  ip->valid = 0;
  releasesleep(&ip->lock);
}

// Drops a reference. If it was the last one, and no directory entry names
// the inode, frees it on disk too: hence only between begin_op and end_op.
void
iput(struct inode *ip)
{
  acquire(&itable.lock);
  if(ip->ref == 1 && ip->valid && ip->nlink == 0){
    // With one reference left, ours, and no name to find the inode by, no
    // other process can get hold of it: that stays so without the lock. The
    // opposite would not: of two that drop the last two references, each
    // would leave the freeing to the other, if the lock were released
    // between this look and the count.
    release(&itable.lock);
    ifree(ip);
    acquire(&itable.lock);
  }
  ip->ref--;
  release(&itable.lock);
}

void
iunlockput(struct inode *ip)
{
  iunlock(ip);
  iput(ip);
}

// At boot: frees the inodes that were removed while they were open, if the
// machine stopped before the last close. They have a type, but no name.
static void
ireclaim(int dev)
{
  for(uint inum = ROOTINO; inum < sb.ninodes; inum++){
    struct buf *b = bread(dev, IBLOCK(inum, sb));
    struct dinode *d = dinodeat(b, inum);
    int orphan = d->type != 0 && d->nlink == 0;
    brelse(b);
    if(!orphan)
      continue;

    printf("ireclaim: orphaned inode %d\n", inum);
    begin_op();
    struct inode *ip = iget(dev, inum);
    ilock(ip);        // reads it, so that iput() sees nlink
    iunlockput(ip);
    end_op();
  }
}

// --- content ---

// Returns the block number in *slot, after allocating a block for it if
// there is none yet. 0 if the disk is full.
static uint
fill(uint dev, uint *slot)
{
  if(*slot == 0)
    *slot = balloc(dev);
  return *slot;
}

// Returns the disk block that holds block bn of the file, allocating it if
// necessary; 0 if the disk is full. Caller calls iupdate() afterwards.
static uint
bmap(struct inode *ip, uint bn)
{
  if(bn < NDIRECT)
    return fill(ip->dev, &ip->addrs[bn]);

  bn -= NDIRECT;
  if(bn >= NINDIRECT)
    panic("bmap: file too large");

  uint table = fill(ip->dev, &ip->addrs[NDIRECT]);
  if(table == 0)
    return 0;
  struct buf *b = bread(ip->dev, table);
  uint *slot = (uint*)b->data + bn;
  int absent = *slot == 0;
  uint addr = fill(ip->dev, slot);
  if(absent && addr)
    log_write(b);
  brelse(b);
  return addr;
}

static void
freeall(uint dev, uint *slots, int n)
{
  for(int i = 0; i < n; i++){
    if(slots[i])
      bfree(dev, slots[i]);
  }
}

// Throws a file's content away. Caller holds ip->lock.
void
itrunc(struct inode *ip)
{
  uint table = ip->addrs[NDIRECT];

  if(table){
    struct buf *b = bread(ip->dev, table);
    freeall(ip->dev, (uint*)b->data, NINDIRECT);
    brelse(b);
  }
  freeall(ip->dev, ip->addrs, NDIRECT + 1);

  memset(ip->addrs, 0, sizeof(ip->addrs));
  ip->size = 0;
  iupdate(ip);
}

// For fstat(). Caller holds ip->lock.
void
stati(struct inode *ip, struct stat *st)
{
  // The user gets this struct byte for byte; no old stack content between
  // the fields.
  memset(st, 0, sizeof(*st));
  st->type = ip->type;
  st->size = ip->size;
  st->nlink = ip->nlink;
  st->ino = ip->inum;
  st->dev = ip->dev;
}

// Reads at most n bytes from offset off to dst (a user address if user_dst
// is not 0). Returns how many; 0 at the end, -1 if dst is bad.
// Caller holds ip->lock.
int
readi(struct inode *ip, int user_dst, uint64 dst, uint off, uint n)
{
  if(off > ip->size || off + n < off)
    return 0;
  n = min(n, ip->size - off);

  uint done = 0;
  while(done < n){
    uint addr = bmap(ip, off / BSIZE);
    if(addr == 0)
      break;

    uint m = min(n - done, BSIZE - off % BSIZE);
    struct buf *b = bread(ip->dev, addr);
    int bad = either_copyout(user_dst, dst + done, b->data + off % BSIZE, m);
    brelse(b);
    if(bad)
      return -1;

    done += m;
    off += m;
  }
  return done;
}

// Writes n bytes from src at offset off, making the file longer if need be.
// Returns how many it could write: fewer if src is bad or the disk is full.
// -1 if there would be a gap, or the file would get too long.
// Caller holds ip->lock.
int
writei(struct inode *ip, int user_src, uint64 src, uint off, uint n)
{
  if(off > ip->size || off + n < off || off + n > MAXFILE*BSIZE)
    return -1;

  uint done = 0;
  while(done < n){
    uint addr = bmap(ip, off / BSIZE);
    if(addr == 0)
      break;

    uint m = min(n - done, BSIZE - off % BSIZE);
    struct buf *b = bread(ip->dev, addr);
    int bad = either_copyin(b->data + off % BSIZE, user_src, src + done, m);
    // Even if it is bad: part of it may have been copied, and the cache
    // must not differ from the disk.
    log_write(b);
    brelse(b);
    if(bad)
      break;

    done += m;
    off += m;
  }

  if(off > ip->size)
    ip->size = off;
  iupdate(ip);   // bmap() may have changed addrs, even if size is the same
  return done;
}

// --- directories ---

int
namecmp(const char *s, const char *t)
{
  return strncmp(s, t, DIRSIZ);
}

// Looks for the entry of a name, or for an unused one if name is 0. Returns
// its offset, or the directory's size if there is none; the entry in *de.
static uint
findentry(struct inode *dp, char *name, struct dirent *de)
{
  uint off = 0;

  if(dp->type != T_DIR)
    panic("findentry: no directory");
  for(; off < dp->size; off += sizeof(*de)){
    if(readi(dp, 0, (uint64)de, off, sizeof(*de)) != sizeof(*de))
      panic("findentry: read");
    if(name ? de->inum != 0 && namecmp(name, de->name) == 0 : de->inum == 0)
      break;
  }
  return off;
}

// Looks a name up. Returns a reference to its inode, unlocked, or 0; and
// the offset of the entry in *poff if that is not 0. Caller holds dp->lock.
struct inode*
dirlookup(struct inode *dp, char *name, uint *poff)
{
  struct dirent de;
  uint off = findentry(dp, name, &de);

  if(off >= dp->size)
    return 0;
  if(poff)
    *poff = off;
  return iget(dp->dev, de.inum);
}

// Adds an entry. 0, or -1 if the name is there already or the disk is full.
// Caller holds dp->lock.
int
dirlink(struct inode *dp, char *name, uint inum)
{
  struct dirent de;

  if(findentry(dp, name, &de) < dp->size)
    return -1;

  uint off = findentry(dp, 0, &de);
  de.inum = inum;
  strncpy(de.name, name, DIRSIZ);
  return writei(dp, 0, (uint64)&de, off, sizeof(de)) == sizeof(de) ? 0 : -1;
}

// --- paths ---

static char*
skipslashes(char *path)
{
  while(*path == '/')
    path++;
  return path;
}

// Copies the first element of path to name. Returns the rest of the path,
// without leading slashes, so that "" means that it was the last element;
// or 0 if there is no element.
//   "a/bb/c" -> name "a",  rest "bb/c"
//   "///a//" -> name "a",  rest ""
//   "a"      -> name "a",  rest ""
//   "" "///" -> 0
static char*
skipelem(char *path, char *name)
{
  path = skipslashes(path);
  if(*path == 0)
    return 0;

  // Longer names are cut off, as in directory entries; strncpy() leaves
  // no 0 then, which namecmp() knows.
  int len = 0;
  while(path[len] != '/' && path[len] != 0)
    len++;
  memset(name, 0, DIRSIZ);
  memmove(name, path, min(len, DIRSIZ));

  return skipslashes(path + len);
}

// Follows path; with `parent`, stops one element early and leaves that
// element in name. Returns a reference to the inode, unlocked, or 0.
// Must be between begin_op and end_op, for the sake of iput().
static struct inode*
namex(char *path, int parent, char *name)
{
  struct inode *at = *path == '/' ? iget(ROOTDEV, ROOTINO) : idup(myproc()->cwd);
  int found = 0;

  // One directory after the other, until there is none to look into.
  while(at && !found){
    char *rest = skipelem(path, name);
    if(rest == 0){
      if(!parent)
        return at;
      iput(at);   // the path has no last element to leave in name
      return 0;
    }

    ilock(at);
    int isdir = at->type == T_DIR;
    found = isdir && parent && *rest == 0;
    // A directory that has been removed leads nowhere: what its ".." names
    // may be gone too. While it has a link, its parent is not empty, so
    // that one is there.
    int leads = isdir && !found && at->nlink > 0;
    struct inode *next = leads ? dirlookup(at, name, 0) : 0;

    // Let go of this directory before the next is locked: "." is the same
    // inode, and two processes going up ("..") and down would block
    // each other.
    iunlock(at);
    if(!found){
      iput(at);
      at = next;
    }
    path = rest;
  }
  return at;
}

struct inode*
namei(char *path)
{
  char name[DIRSIZ];

  return namex(path, 0, name);
}

struct inode*
nameiparent(char *path, char *name)
{
  return namex(path, 1, name);
}
