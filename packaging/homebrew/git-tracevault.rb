# The release workflow puts the address and checksum of the sources where @…@ stands, and publishes the result with the release.
class GitTracevault < Formula
  desc "Signed, hash-chained records of what AI agents did, kept in git itself"
  homepage "@HOMEPAGE@"
  url "@URL@"
  sha256 "@SHA256@"
  license "Apache-2.0"

  depends_on "rust" => :build
  depends_on "git"

  def install
    system "cargo", "install", *std_cargo_args
    system bin/"git-tracevault", "man", man1
    generate_completions_from_executable(bin/"git-tracevault", "completions")
    doc.install "docs/verify.sh"
  end

  test do
    ENV["GIT_AUTHOR_NAME"] = ENV["GIT_COMMITTER_NAME"] = "Test"
    ENV["GIT_AUTHOR_EMAIL"] = ENV["GIT_COMMITTER_EMAIL"] = "test@example.com"
    system "git", "init", "--quiet"
    system "git", "tracevault", "init"
    system "git", "add", "--all"
    system "git", "commit", "--quiet", "--message", "Begin"
    assert_match "1 signed", shell_output("git tracevault verify --range HEAD")
    assert_path_exists man1/"git-tracevault.1"
  end
end
