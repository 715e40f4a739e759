// The file system as it lies on disk. Both the kernel and mkfs include this
// file, so a change here changes the format on both sides.
//
//   block 0      1       2 ...     ...          ...            ... size-1
//   | boot | super |  log  | inodes | free bitmap | data blocks          |
//
// "boot" is unused. The super block says where each of the others begins.

#define ROOTINO   1      // inode number of "/"; 0 means "no inode"
#define BSIZE  1024      // bytes in a block

#define FSMAGIC 0x10203040

struct superblock {
  uint magic;        // FSMAGIC, or this is no file system of ours
  uint size;         // blocks in the whole image
  uint nblocks;      // data blocks
  uint ninodes;      // inodes
  uint nlog;         // log blocks, its header included
  uint logstart;     // block number of the log header
  uint inodestart;   // block number of the first inode block
  uint bmapstart;    // block number of the first bitmap block
};

// A file's blocks: the first NDIRECT numbers stand in the inode itself,
// the next NINDIRECT in one block that the inode's last slot points to.
#define NDIRECT   12
#define NINDIRECT (BSIZE / sizeof(uint))
#define MAXFILE   (NDIRECT + NINDIRECT)

#define MAXLINK   0x7fff // names of one file: what a dinode's nlink can count

struct dinode {
  short type;               // T_* of stat.h; 0 if this inode is free
  short major;              // T_DEVICE only: which driver ...
  short minor;              // ... and which of its devices
  short nlink;              // directory entries that name this inode
  uint size;                // length in bytes
  uint addrs[NDIRECT+1];    // block numbers; 0 where nothing is allocated
};

// Inodes per block, and the block that holds inode i.
#define IPB            (BSIZE / sizeof(struct dinode))
#define IBLOCK(i, sb)  ((i) / IPB + (sb).inodestart)

// Bitmap bits per block, and the block that holds the bit of block b.
#define BPB            (BSIZE * 8)
#define BBLOCK(b, sb)  ((b) / BPB + (sb).bmapstart)

// A directory is a file whose content is an array of these. A name that
// fills all DIRSIZ bytes has no terminating 0. inum 0 marks a free entry.
#define DIRSIZ 14

struct dirent {
  ushort inum;
  char name[DIRSIZ];
};
