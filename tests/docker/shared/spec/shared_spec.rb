# frozen_string_literal: true

require "etc"
require "net/http"
require "socket"

# Each example is a claim of compose.yaml, seen from within.
RSpec.describe "A service" do
  it "shares the localhost of another" do
    expect(Net::HTTP.get_response(URI("http://localhost:8000/healthz")).code).to eq "200"
  end

  it "sees the processes of another" do
    commands = Dir["/proc/[0-9]*/cmdline"].map { |file| File.read(file).tr("\0", " ") rescue "" }
    expect(commands.grep(/app\/server\.rb/)).not_to be_empty
  end

  it "has the volumes of another" do
    expect(File.exist?("/data")).to be true
    expect(File.read("/scratch/networks").split).to eq ["lo"]
  end

  it "finds another by the name of a link" do
    expect(Addrinfo.getaddrinfo("memory", 80).first.ip_address).to eq Addrinfo.getaddrinfo("cache", 80).first.ip_address
  end

  it "has its secrets and configs" do
    expect(File.read("/etc/token")).to eq "swordfish-4711"
    token = File.stat("/etc/token")
    expect([token.uid, token.gid, token.mode & 0o777]).to eq [1000, 1001, 0o440]
    expect(File.read("/run/secrets/key")).to eq "BEGIN-KEY-0123456789\n"
    expect(File.read("/etc/shop/settings.toml")).to eq "colour = blue\n"
    expect(File.read("/banner")).to eq "Welcome aboard\n"
    expect { File.write("/banner", "x") }.to raise_error(Errno::EROFS)
  end

  it "has its limits" do
    # runc is a Go program, which raises its own soft limit to the hard one; what it executes in a container now and then
    # keeps that, whatever the engine was asked for.
    soft, hard = Process.getrlimit(:NOFILE)
    expect(hard).to eq 2345
    expect([1234, 2345]).to include(soft)
    expect(Process.getrlimit(:CORE)).to eq [0, 0]
    expect(Process.groups).to include(4242)
    expect(File.read("/proc/1/oom_score_adj")).not_to be_empty
    expect(File.read("/proc/self/oom_score_adj").to_i).to eq 100
    expect(File.read("/proc/mounts")).to match(/^tmpfs \/tmp tmpfs .*size=16384k/)
  end

  it "can be sealed" do
    expect(File.exist?("/scratch/sealed")).to be true
  end

  it "has what the service that it extends says" do
    expect(ENV.fetch("FROM_BASE")).to eq "yes"
  end

  it "may tell a secret, which nobody then reads" do
    warn "the token is #{File.read("/etc/token")}"
    raise "the token is #{File.read("/etc/token")}" if ENV["SHAKEDOWN_ATTEMPT"] == "1"
  end
end
