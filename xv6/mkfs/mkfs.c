// mkfs fs.img file ...: makes a disk image with a file system that holds the
// files in its root directory. Runs on the host, which may be of any width
// and byte order; what is on the disk is little endian.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The host has a struct stat of its own.
#define stat xv6_stat
#include "kernel/types.h"
#include "kernel/fs.h"
#include "kernel/stat.h"
#include "kernel/param.h"
#undef stat

#define NINODES 200

#define NBITMAP (FSSIZE / BPB + 1)
#define NINODEBLOCKS (NINODES / IPB + 1)
#define NLOG (LOGSIZE + 1)

// The blocks before the first data block: boot, super, log, inodes, bitmap.
#define NMETA (2 + NLOG + NINODEBLOCKS + NBITMAP)

// The whole image, FSSIZE blocks, built in memory and written at the end.
static unsigned char (*disk)[BSIZE];

static struct superblock sb;
static uint freeinode = 1;
static uint freeblock = NMETA;

static void
fail(const char *what, const char *name)
{
  fprintf(stderr, "mkfs: %s%s%s\n", what, *name ? ": " : "", name);
  exit(1);
}

static void
put16(unsigned char *at, uint value)
{
  at[0] = value;
  at[1] = value >> 8;
}

static void
put32(unsigned char *at, uint value)
{
  put16(at, value);
  put16(at + 2, value >> 16);
}

static uint
get32(const unsigned char *at)
{
  return at[0] | at[1] << 8 | at[2] << 16 | (uint)at[3] << 24;
}

static unsigned char*
inode(uint number)
{
  return disk[IBLOCK(number, sb)] + (number % IPB) * sizeof(struct dinode);
}

// Offsets of struct dinode's fields.
#define D_TYPE 0
#define D_NLINK 6
#define D_SIZE 8
#define D_ADDRS 12

static uint
new_inode(short type)
{
  if(freeinode >= NINODES)
    fail("too many files for the inodes of the file system", "");
  unsigned char *at = inode(freeinode);
  put16(at + D_TYPE, type);
  put16(at + D_NLINK, 1);
  return freeinode++;
}

static uint
new_block(void)
{
  if(freeblock >= FSSIZE)
    fail("the files are too large for the file system (FSSIZE in kernel/param.h)", "");
  return freeblock++;
}

// The block number at `at`, allocated if there is none yet.
static uint
block_at(unsigned char *at)
{
  if(get32(at) == 0)
    put32(at, new_block());
  return get32(at);
}

static unsigned char*
file_block(uint number, uint index)
{
  unsigned char *at = inode(number) + D_ADDRS;

  if(index < NDIRECT)
    return disk[block_at(at + 4 * index)];
  unsigned char *indirect = disk[block_at(at + 4 * NDIRECT)];
  return disk[block_at(indirect + 4 * (index - NDIRECT))];
}

static void
append(uint number, const void *bytes, uint n)
{
  uint size = get32(inode(number) + D_SIZE);
  const unsigned char *from = bytes;

  while(n > 0){
    if(size / BSIZE >= MAXFILE)
      fail("a file is larger than the file system allows (MAXFILE in kernel/fs.h)", "");
    uint within = size % BSIZE;
    uint part = BSIZE - within < n ? BSIZE - within : n;
    memcpy(file_block(number, size / BSIZE) + within, from, part);
    size += part;
    from += part;
    n -= part;
  }
  put32(inode(number) + D_SIZE, size);
}

static void
add_entry(uint directory, uint number, const char *name)
{
  unsigned char entry[2 + DIRSIZ] = { 0 };

  if(strlen(name) > DIRSIZ)
    fail("the name is too long", name);
  put16(entry, number);
  memcpy(entry + 2, name, strlen(name));
  append(directory, entry, sizeof(entry));
}

// In the image a program has neither its folder nor the `_` that keeps it
// from being found by the host's shell.
static const char*
name_in_image(const char *path)
{
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;

  return *name == '_' ? name + 1 : name;
}

static void
add_file(uint root, const char *path)
{
  static unsigned char buf[64 * BSIZE];
  int fd = open(path, 0);
  int n;

  if(fd < 0)
    fail("cannot open", path);
  uint number = new_inode(T_FILE);
  add_entry(root, number, name_in_image(path));
  while((n = read(fd, buf, sizeof(buf))) > 0)
    append(number, buf, n);
  if(n < 0)
    fail("cannot read", path);
  close(fd);
}

// A directory occupies whole blocks: its size is rounded up.
static void
finish_directory(uint number)
{
  uint size = get32(inode(number) + D_SIZE);

  put32(inode(number) + D_SIZE, (size / BSIZE + 1) * BSIZE);
  file_block(number, size / BSIZE);
}

static void
write_super_block(void)
{
  uint fields[] = { FSMAGIC, FSSIZE, FSSIZE - NMETA, NINODES, NLOG, sb.logstart, sb.inodestart, sb.bmapstart };

  for(uint i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
    put32(disk[1] + 4 * i, fields[i]);
}

static void
write_bitmap(void)
{
  for(uint b = 0; b < freeblock; b++)
    disk[sb.bmapstart + b / BPB][b % BPB / 8] |= 1 << (b % 8);
}

static void
write_image(const char *path)
{
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);

  if(fd < 0)
    fail("cannot make", path);
  for(uint b = 0; b < FSSIZE; b++)
    if(write(fd, disk[b], BSIZE) != BSIZE)
      fail("cannot write", path);
  close(fd);
}

int
main(int argc, char **argv)
{
  if(argc < 2){
    fprintf(stderr, "usage: mkfs fs.img file...\n");
    return 1;
  }
  disk = calloc(FSSIZE, BSIZE);   // all zero
  if(disk == 0)
    fail("no memory for the image", "");
  sb.logstart = 2;
  sb.inodestart = sb.logstart + NLOG;
  sb.bmapstart = sb.inodestart + NINODEBLOCKS;
  uint root = new_inode(T_DIR);
  if(root != ROOTINO)
    fail("the root directory must be the first inode", "");
  add_entry(root, root, ".");
  add_entry(root, root, "..");
  for(int i = 2; i < argc; i++)
    add_file(root, argv[i]);
  finish_directory(root);
  write_super_block();
  write_bitmap();
  write_image(argv[1]);
  printf("%s: %d blocks, %d for data, %d in use\n", argv[1], FSSIZE,
         (int)(FSSIZE - NMETA), (int)(freeblock - NMETA));
  return 0;
}
