// Times one case in evmone, as `needletail bench evm --against evmone=PATH` asks for it.
//
// The case comes on standard input as lines of words (Sources/needletail/Bench/PeerCase.swift
// writes them), one line of JSON goes out. Every way that evmone has of running code is timed, its
// analysis of the code apart, the way its own `evmone-bench` does.
#include "host.hpp"

#include <evmc/hex.hpp>
#include <evmone/evmone.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>

#include <time.h>

using namespace needletail;

namespace
{
struct Figures
{
    double median, lowest, spread;
};

struct ModeFigures
{
    const char* name;
    Figures execution, analysis;
};

/// The thread's CPU time in nanoseconds: that of other programs does not count.
double now()
{
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// The times of one call in nanoseconds, over batches that each take at least 2 ms.
template <typename Work>
Figures measure(double seconds, Work work)
{
    const auto once = [&](size_t count) {
        const auto start = now();
        for (size_t i = 0; i < count; ++i)
            work();
        return now() - start;
    };
    size_t count = 1;
    auto time = once(1);
    while (time < 2e6)
    {
        count = std::max(count * 2, static_cast<size_t>(static_cast<double>(count) * 2e6 / time));
        time = once(count);
    }
    std::vector<double> batches;
    for (double total = 0; total < seconds * 1e9 || batches.size() < 5; total += time)
    {
        time = once(count);
        batches.push_back(time / static_cast<double>(count));
    }
    std::sort(batches.begin(), batches.end());
    const auto at = [&](double part) {
        return batches[static_cast<size_t>(static_cast<double>(batches.size() - 1) * part + 0.5)];
    };
    return {at(0.5), batches.front(), (at(0.75) - at(0.25)) / at(0.5)};
}

[[noreturn]] void fail(const std::string& reason)
{
    std::printf("{\"error\":\"%s\"}\n", reason.c_str());
    std::exit(0);
}

Bytes bytes(const std::string& text)
{
    const auto decoded = evmc::from_hex(text);
    if (!decoded)
        fail("not hexadecimal: " + text.substr(0, 40));
    return Bytes{decoded->begin(), decoded->end()};
}

template <typename Value>
Value value(const std::string& text)
{
    const auto decoded = evmc::from_hex<Value>(text);
    if (!decoded)
        fail("not a value: " + text.substr(0, 80));
    return *decoded;
}

const std::map<std::string, evmc_revision> revisions = {
    {"Istanbul", EVMC_ISTANBUL}, {"Berlin", EVMC_BERLIN}, {"London", EVMC_LONDON},
    {"Paris", EVMC_PARIS}, {"Shanghai", EVMC_SHANGHAI}, {"Cancun", EVMC_CANCUN},
    {"Prague", EVMC_PRAGUE}, {"Osaka", EVMC_OSAKA}};
}  // namespace

int main()
{
    Host host;
    evmc_message message{};
    message.kind = EVMC_CALL;
    Bytes input;
    double seconds = 0.5;
    std::string line;
    while (std::getline(std::cin, line))
    {
        std::istringstream words{line};
        std::string key, first, second, third, fourth;
        words >> key >> first >> second >> third >> fourth;
        if (key == "fork")
        {
            const auto found = revisions.find(first);
            if (found == revisions.end())
                fail("fork " + first + " is not known here");
            host.revision = found->second;
        }
        else if (key == "seconds")
            seconds = std::stod(first);
        else if (key == "gas")
            message.gas = std::stoll(first);
        else if (key == "sender")
            message.sender = value<address>(first);
        else if (key == "to")
            message.recipient = message.code_address = value<address>(first);
        else if (key == "value")
            message.value = value<bytes32>(first);
        else if (key == "input")
            input = bytes(first);
        else if (key == "number")
            host.transaction.block_number = std::stoll(first);
        else if (key == "timestamp")
            host.transaction.block_timestamp = std::stoll(first);
        else if (key == "gasLimit")
            host.transaction.block_gas_limit = std::stoll(first);
        else if (key == "coinbase")
            host.transaction.block_coinbase = value<address>(first);
        else if (key == "prevRandao")
            host.transaction.block_prev_randao = value<bytes32>(first);
        else if (key == "baseFee")
            host.transaction.block_base_fee = value<bytes32>(first);
        else if (key == "gasPrice")
            host.transaction.tx_gas_price = value<bytes32>(first);
        else if (key == "chainID")
            host.transaction.chain_id = value<bytes32>(first);
        else if (key == "account")
        {
            auto& a = host.account(value<address>(first));
            a.exists = true;
            a.balance = value<bytes32>(second);
            a.nonce = std::stoull(third);
            a.code = bytes(fourth);
        }
        else if (key == "slot")
            host.slot(value<address>(first), value<bytes32>(second), false).current =
                value<bytes32>(third);
        else
            fail("unknown line: " + key);
    }
    message.input_data = input.data();
    message.input_size = input.size();
    host.transaction.tx_origin = message.sender;
    for (const auto& warm : {message.sender, message.recipient})
        host.account(warm).warm = host.account(warm).warm_at_start = true;
    if (host.revision >= EVMC_SHANGHAI)
    {
        auto& coinbase = host.account(host.transaction.block_coinbase);
        coinbase.warm = coinbase.warm_at_start = true;
    }
    host.prepare();

    // The first run of each mode: the results, which must be the same.
    struct Candidate
    {
        const char* name;
        Mode mode;
        std::map<std::string, std::string> options;
    };
    const Candidate candidates[] = {
        {"baseline", Mode::baseline, {}},
        {"bnocgoto", Mode::baseline, {{"cgoto", "no"}}},
        {"advanced", Mode::advanced, {}},
        {"evmc", Mode::evmc, {}},
    };
    std::vector<ModeFigures> figures;
    std::string result;
    std::string version;
    for (const auto& candidate : candidates)
    {
        auto* const c_vm = evmc_create_evmone();
        version = c_vm->version;
        for (const auto& [option, setting] : candidate.options)
            c_vm->set_option(c_vm, option.c_str(), setting.c_str());
        host.vm = static_cast<evmone::VM*>(c_vm);
        host.mode = candidate.mode;

        host.reset();
        const auto first = host.call(message);
        std::ostringstream text;
        const auto status = first.status_code;
        text << "\"status\":\""
             << (status == EVMC_SUCCESS ? "success" :
                 status == EVMC_REVERT ? "revert" : "halt")
             << "\",\"gas\":" << message.gas - first.gas_left << ",\"refund\":" << first.gas_refund
             << ",\"logs\":" << host.log_count() << ",\"output\":\"0x"
             << evmc::hex({first.output_data, first.output_size}) << "\"";
        if (first.release)
            first.release(&first);
        if (!host.unsupported.empty())
            fail("the runner's host has no " + host.unsupported);
        if (!result.empty() && result != text.str())
            fail(std::string{"evmone's modes differ: "} + candidate.name);
        result = text.str();

        const auto execution = measure(seconds, [&] {
            host.reset();
            const auto r = host.call(message);
            if (r.release)
                r.release(&r);
        });
        const auto& code = host.account(message.code_address).code;
        const evmone::bytes_view view{code.data(), code.size()};
        Figures analysis{};
        if (candidate.mode == Mode::baseline)
            analysis = measure(seconds / 10, [&] {
                const auto made = evmone::baseline::analyze(view);
                asm volatile("" : : "r"(&made) : "memory");
            });
        else if (candidate.mode == Mode::advanced)
            analysis = measure(seconds / 10, [&] {
                const auto made = evmone::advanced::analyze(host.revision, view);
                asm volatile("" : : "r"(&made) : "memory");
            });
        figures.push_back({candidate.name, execution, analysis});
        c_vm->destroy(c_vm);
    }

    std::printf("{\"peer\":\"evmone %s\",%s,\"modes\":[", version.c_str(), result.c_str());
    for (size_t i = 0; i < figures.size(); ++i)
    {
        const auto& f = figures[i];
        std::printf(
            "%s{\"name\":\"%s\",\"median\":%.1f,\"lowest\":%.1f,\"spread\":%.4f,\"analysis\":%.1f}",
            i == 0 ? "" : ",", f.name, f.execution.median, f.execution.lowest,
            f.execution.spread, f.analysis.median);
    }
    std::printf("]}\n");
}
